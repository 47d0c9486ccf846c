// key.json files are read or refused; what is read is written in one form that reads back the same.
// links: vmcred_store
#include <cstdlib>

#include "store/access.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::store;  // NOLINT
  const auto keys = parse_key_file(vmcred::text_of({data, size}));
  if (!keys) return 0;
  const auto again = parse_key_file(print_key_file(*keys));
  if (!again || *again != *keys) std::abort();
  return 0;
}
