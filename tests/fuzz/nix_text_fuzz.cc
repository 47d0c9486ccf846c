// Nix files, and what nix says on stderr: nothing crashes, names and paths are what they claim to be, errors are one
// short line.
// links: vmcred_nix
#include <algorithm>
#include <cstdlib>

#include "base/secret.h"
#include "deepen.h"
#include "nix/messages.h"
#include "nix/sources.h"

namespace {

using namespace vmcred;

bool short_line(const std::string& text) {
  return text.size() <= nix::kMaxMessage + 3 &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = text_of({data, size});
  const nix::Words words = nix::words_of(text);
  if (!std::ranges::is_sorted(words.identifiers)) std::abort();
  for (const std::string& word : words.identifiers)
    if (word.empty() || text.find(word) == std::string_view::npos) std::abort();
  for (const std::string& path : words.paths)
    if (!path.contains('/')) std::abort();
  const Error error = nix::error_of(text, words.identifiers);
  if (error.message.empty() || !short_line(error.message) || !short_line(error.hint)) std::abort();
  for (const std::string& read : nix::reads_of(text).values)
    if (read.contains('\n')) std::abort();
  return 0;
}
