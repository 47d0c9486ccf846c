// A generator's record is read or refused; what is read is written in a form that reads back the same.
// links: vmcred_store
#include <cstdlib>

#include "store/record.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::store;  // NOLINT
  const auto record = parse_record(vmcred::text_of({data, size}));
  if (!record) return 0;
  const auto again = parse_record(print_record(*record));
  if (!again || *again != *record) std::abort();
  return 0;
}
