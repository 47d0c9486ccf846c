// Unit files, systemctl's output, banners and socket tables: nothing crashes, and what counts is what systemd would accept.
// links: vmcred_chain_doctor
#include <cstdlib>

#include "base/secret.h"
#include "chain/doctor/credential_lines.h"
#include "chain/doctor/lookup.h"
#include "chain/doctor/unit_state.h"
#include "chain/doctor/versions.h"
#include "declare/names.h"

namespace {

using namespace vmcred::chain::doctor;

void read_lines(std::string_view text) {
  const CredentialLines found =
      credential_lines({{"a", std::string(text)}, {"b", std::string(text)}}, "microvm@a-b.service");
  for (const CredentialLine& line : found.lines) {
    if (line.kind != LineKind::import && !vmcred::declare::valid_credential_name(line.id)) std::abort();
    if ((line.kind == LineKind::set || line.kind == LineKind::set_encrypted) && !line.source.empty()) std::abort();
    for (const CredentialLine& other : found.lines)
      if (&other != &line && other.kind == line.kind && other.id == line.id) std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = vmcred::text_of({data, size});
  read_lines(text);
  for (const UnitState& unit : read_unit_states(text))
    if (unit.name.empty() || failure_in_words(unit).empty()) std::abort();
  (void)systemd_version(text);
  (void)find_version(text);
  (void)seabios_version(text);
  (void)has_path_overrun(text);
  (void)listens(text, "/run/s");
  return 0;
}
