// SMBIOS dumps, tables and structures, and what systemd would make of them.
// links: vmcred_credential
#include <cstddef>
#include <cstdint>
#include <cstdlib>

#include "credential/examine.h"
#include "credential/smbios.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const vmcred::Bytes input(data, size);
  const auto dump = vmcred::credential::read_dump(input);
  if (!dump) return 0;
  for (const auto& structure : dump->table.structures) {
    // Every structure borrows from the input, in order.
    if (structure.raw.data() < data || structure.raw.data() + structure.raw.size() > data + size) std::abort();
  }
  for (const int version : {252, 257}) {
    for (const auto& seen : vmcred::credential::examine(dump->table.structures, version)) {
      const auto value = vmcred::credential::value_in(seen);
      if (value && seen.size && value->size() != *seen.size) std::abort();
      (void)vmcred::credential::printable(vmcred::text_of(seen.text));
    }
  }
  return 0;
}
