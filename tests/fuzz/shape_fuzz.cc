// Texts with a name (the first line), judged: what looks like a secret stands in the text, in order, and does not
// overlap.
// links: vmcred_shape
#include <cstdint>
#include <cstdlib>

#include "base/secret.h"
#include "base/text.h"
#include "shape/secret_shape.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kLargest = 64 * 1024;
  if (size > kLargest) return 0;
  std::string_view text = vmcred::text_of({data, size});
  const std::string_view name = vmcred::take_until(text, '\n');
  for (const std::string_view called : {std::string_view(), name}) {
    std::size_t end = 0;
    const auto all = vmcred::shape::secrets_in(text, called);
    for (const auto& each : all) {
      if (each.begin < end || each.bytes == 0 || each.begin + each.bytes > text.size() || each.what.empty())
        std::abort();
      end = each.begin + each.bytes;
    }
    const auto what = vmcred::shape::looks_like_secret(text, called);
    if (what.has_value() == all.empty() || (what && *what != all.front().what)) std::abort();
  }
  return 0;
}
