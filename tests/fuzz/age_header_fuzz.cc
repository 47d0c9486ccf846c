// Any bytes are an age header or refused; what is one has exactly one form and writes back as it was.
// links: vmcred_age
#include <cstdlib>

#include "age/header.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = vmcred::text_of({data, size});
  const auto parsed = vmcred::age::parse_header(text);
  if (!parsed) return 0;
  const std::string again = vmcred::age::write_header(parsed->header.stanzas, vmcred::bytes_of("0123456789abcdef"));
  if (!again.starts_with(parsed->authenticated)) std::abort();
  (void)vmcred::age::check_mac(*parsed, vmcred::bytes_of("0123456789abcdef"));
  return 0;
}
