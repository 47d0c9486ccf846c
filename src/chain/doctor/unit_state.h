// What systemd says of its units: the output of `systemctl show`, as structs.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "chain/doctor/doors.h"

namespace vmcred::chain::doctor {

/// systemd's exit status of a service whose credentials could not be set up (EXIT_CREDENTIALS).
inline constexpr int kExitCredentials = 243;
/// Most units that are looked at; `systemctl show` of more is cut.
inline constexpr std::size_t kMaxUnits = 4096;

struct UnitState {
  std::string name;                     ///< "microvm@web.service"
  std::string load = {};                ///< "loaded", "not-found", "masked", …
  std::string active = {};              ///< "active", "failed", "activating", …
  std::string result = {};              ///< "success", "exit-code", "timeout", …
  int exit_status = 0;                  ///< of the main process
  pid_t main_pid = 0;                   ///< 0: none runs
  std::vector<std::string> files = {};  ///< the unit file, then its drop-ins, in systemd's order
  [[nodiscard]] bool failed() const {
    return active == "failed" || exit_status == kExitCredentials ||
           (active == "activating" && result != "success" && !result.empty());
  }
};

/// Blocks of NAME=VALUE lines with an empty line between. What is missing keeps its default; a block without Id is left
/// out.
std::vector<UnitState> read_unit_states(std::string_view shown);

/// Asks systemd for units by name or pattern. A machine without systemd is `unavailable`.
Result<std::vector<UnitState>> unit_states(const Doors& doors, const std::vector<std::string>& patterns);

/// The number in "systemd 252 (252.39-1~deb12u1)"; 0: there is none.
int systemd_version(std::string_view text);
int host_systemd_version(const Doors& doors);

/// "start limit hit", "its namespaces could not be set up (226/NAMESPACE)": why a unit failed, for people.
std::string failure_in_words(const UnitState& unit);

}  // namespace vmcred::chain::doctor
