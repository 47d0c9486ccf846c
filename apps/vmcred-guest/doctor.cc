// `doctor`: prints what is wrong with the credentials of this guest, and why.
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cstdlib>

#include "arguments.h"
#include "base/systemd_bus.h"
#include "chain/report.h"
#include "commands.h"
#include "credentials.h"
#include "diagnosis.h"

namespace vmcred::guest {
namespace {

int systemd_major() {
  auto bus = SystemdBus::connect();
  if (!bus) return 0;
  const auto version = bus->version();
  return version ? std::atoi(version->c_str()) : 0;  // 0 where it begins with no number
}

}  // namespace

Result<int> doctor(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {"--json"};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  if (::geteuid() != 0) return hint(fail(Errc::denied, "the credentials of this guest are for root"), "run it as root");
  struct statfs file_system = {};
  const bool tmpfs = ::statfs(kSystemFolder, &file_system) == 0 && file_system.f_type == TMPFS_MAGIC;
  TRY_LET(auto findings, diagnose({.systemd = systemd_major(), .system_on_tmpfs = tmpfs}));
  chain::sort_findings(findings);
  print(arguments.has("--json") ? dump_json(chain::findings_json(findings), Indent::two_spaces)
                                : chain::findings_text(findings, false));
  return chain::any_findings(findings) ? 3 : 0;
}

}  // namespace vmcred::guest
