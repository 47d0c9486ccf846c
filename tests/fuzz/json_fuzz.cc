// Any text parses or is refused; what parses survives a dump and a second parse unchanged.
// links: vmcred_base
#include <cstdlib>

#include "base/json.h"
#include "base/secret.h"
#include "deepen.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto value = vmcred::parse_json(vmcred::text_of({data, size}));
  if (!value) return 0;
  const auto again = vmcred::parse_json(vmcred::dump_json(*value));
  if (!again || vmcred::dump_json(*again) != vmcred::dump_json(*value)) std::abort();
  return 0;
}
