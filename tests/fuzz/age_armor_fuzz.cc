// Any text is armor or refused; what is armor survives writing and reading again.
// links: vmcred_age
#include <cstdlib>

#include "age/armor.h"
#include "base/secret.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = vmcred::text_of({data, size});
  const auto file = vmcred::age::read_armor(text);
  if (file) {
    const auto again = vmcred::age::read_armor(vmcred::age::write_armor(*file));
    if (!again || *again != *file) std::abort();
  }
  const auto back = vmcred::age::read_armor(vmcred::age::write_armor(text));
  if (size > 0 && (!back || *back != text)) std::abort();
  return 0;
}
