// Any JSON text is a model or a list of problems; a model survives printing and a second reading.
// links: vmcred_declare
#include <cstdlib>

#include "base/secret.h"
#include "declare/load.h"
#include "deepen.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vmcred;
  const auto declaration = declare::parse_json_declaration(text_of({data, size}), "/p/vmcred.json");
  if (!declaration) return 0;
  const std::string printed = dump_json(declare::to_json(*declaration));
  const auto again = declare::parse_json_declaration(printed, "/p/vmcred.json");
  if (!again || dump_json(declare::to_json(*again)) != printed) std::abort();
  return 0;
}
