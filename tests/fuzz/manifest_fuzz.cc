// A manifest has exactly one form: what is read prints as it was.
// links: vmcred_store
#include <cstdlib>

#include "store/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred::store;  // NOLINT
  const std::string_view text = vmcred::text_of({data, size});
  const auto manifest = parse_manifest(text);
  if (manifest && print_manifest(*manifest) != text) std::abort();
  return 0;
}
