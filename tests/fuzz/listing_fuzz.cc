// dmidecode's text and systemd-creds' lists: what is read of a text is a table that ends where the text does.
// links: vmcred_credential
#include <cstdint>
#include <cstdlib>

#include "credential/examine.h"
#include "credential/listing.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = vmcred::text_of({data, size});
  (void)vmcred::credential::is_dmidecode_text(text);
  const auto read = vmcred::credential::read_dmidecode_text(text);
  // A NUL in a string would be a string's end.
  if (!text.contains('\0')) {
    const auto table = vmcred::credential::read_structures(read.table.bytes());
    if (table.complaint.empty() == read.cut) std::abort();
    const bool as_bytes = text.contains("Strings:");
    for (const auto& seen : vmcred::credential::examine(table.structures, 257))
      if (!as_bytes && !text.contains(vmcred::text_of(seen.text))) std::abort();
  }
  (void)vmcred::credential::is_credential_list(text);
  if (const auto list = vmcred::credential::read_credential_list(text))
    for (const auto& [name, bytes] : *list)
      if (name.empty()) std::abort();
  return 0;
}
