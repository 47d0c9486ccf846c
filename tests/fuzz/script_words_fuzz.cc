// What a script prints, with any secret in it: nothing of the secret is left. And any text with store paths loses its
// versions once and for all.
// links: vmcred_generate
#include <cstdlib>

#include "generate/redact.h"
#include "generate/store_paths.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = vmcred::text_of({data, size});
  const std::string once = vmcred::generate::without_versions(text);
  if (vmcred::generate::without_versions(once).size() > once.size()) std::abort();
  // The first line is the secret, the rest is printed, with the secret in the middle.
  const std::string_view value = text.substr(0, text.find('\n'));
  const vmcred::Secret secret = vmcred::Secret::copy_of(value);
  const std::string_view rest = text.substr(std::min(value.size() + 1, text.size()));
  std::string log(rest.substr(0, rest.size() / 2));
  log += value;
  log += rest.substr(rest.size() / 2);
  const std::string shown = vmcred::generate::redacted(log, {&secret}, 1000);
  // Characters that hiding itself writes would find themselves.
  if (value.size() >= 8 && value.find_first_of("?[]") == std::string_view::npos && shown.contains(value)) std::abort();
  return 0;
}
