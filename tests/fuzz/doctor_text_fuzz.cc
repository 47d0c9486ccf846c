// systemctl's output, banners and socket tables: nothing crashes, and what counts is what systemd would accept.
// links: vmcred_chain_doctor
#include <cstdlib>

#include "base/secret.h"
#include "chain/doctor/lookup.h"
#include "chain/doctor/unit_state.h"
#include "chain/doctor/versions.h"

namespace {

using namespace vmcred::chain::doctor;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = vmcred::text_of({data, size});
  for (const UnitState& unit : read_unit_states(text))
    if (unit.name.empty() || failure_in_words(unit).empty()) std::abort();
  (void)systemd_version(text);
  (void)find_version(text);
  (void)seabios_version(text);
  (void)has_path_overrun(text);
  (void)listens(text, "/run/s");
  return 0;
}
