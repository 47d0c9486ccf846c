// Any text is a record (.vmcred.json), a key file (key.json), both or refused; what is one prints back to the same one.
// links: vmcred_store
#include <cstdlib>

#include "store/access.h"
#include "store/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = vmcred::text_of({data, size});
  if (const auto record = vmcred::store::parse_record(text)) {
    const auto again = vmcred::store::parse_record(vmcred::store::print_record(*record));
    if (!again || *again != *record) std::abort();
  }
  if (const auto keys = vmcred::store::parse_key_file(text)) {
    const auto again = vmcred::store::parse_key_file(vmcred::store::print_key_file(*keys));
    if (!again || *again != *keys) std::abort();
  }
  (void)vmcred::store::value_digest(vmcred::store::Form::secret, text);
  return 0;
}
