// What a supervisor knows of its vm, as `vmcred vm status` shows it.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace vmcred::supervise {

enum class VmState : std::uint8_t { starting, booting, running, stopping, stopped, failed };
std::string_view state_name(VmState state);

/// What stands for the ActiveState of a declared service that the guest does not have.
inline constexpr std::string_view kAbsent = "not in the guest";
/// A service of the guest that loads a credential, and systemd's ActiveState of it ("" when not known).
struct ServiceLine {
  std::string unit;
  std::string state;
  bool operator==(const ServiceLine&) const = default;
};

struct ReceiptLine {
  std::string guest;
  std::string state;  ///< "received", "missing", …; "" when no receipt names it
  std::size_t size = 0;
  std::vector<ServiceLine> services = {};
  bool older = false;  ///< the store has a newer value: told by who asks, not by the supervisor
};

/// What systemd in the guest says of itself over the vm's vsock. Any process there can say it: it proves nothing.
struct SystemdWord {
  bool ready = false;
  std::string unit = {};    ///< the target that was reached last
  std::string status = {};  ///< its last sentence
  std::string hostname = {};
  std::string shutdown = {};  ///< "poweroff", "reboot", …: it is about to
  int exit_status = -1;       ///< of the guest; -1: none was said
  bool operator==(const SystemdWord&) const = default;
};

struct Status {
  std::string vm;
  VmState state = VmState::starting;
  std::string detail = {};  ///< one sentence: what it waits for, or why it failed
  bool proven = false;      ///< a complete receipt came
  std::string accel = {};
  pid_t supervisor = 0;
  pid_t vmm = 0;
  std::uint64_t generation = 0;           ///< that the guest holds, by its last receipt; 0: none came
  std::uint64_t expected_generation = 1;  ///< that it should hold
  unsigned reboots = 0;                   ///< of the guest, since we started
  std::int64_t started_unix = 0;
  std::int64_t values_unix_ms = 0;   ///< when the values that the guest should hold were taken; 0: not known
  std::int64_t ready_after_ms = -1;  ///< -1: not yet
  unsigned turned_away = 0;          ///< speakers on the link without a valid key, since we started
  std::string guest_systemd = {};    ///< its version, "" when not known
  SystemdWord systemd = {};
  std::vector<ReceiptLine> receipts = {};
  std::vector<std::string> older = {};    ///< host names of credentials that are newer in the store: told by who asks
  std::vector<std::string> notices = {};  ///< what the guest's side refused or skipped, and why
};

/// {"vm", "state", "generation", "mood", "receipts": [{"guest", "state", "size", "mood", "services": [{"unit",
/// "state"}]}], …}
Json status_json(const Status& status);
Result<Status> read_status(const Json& json);

}  // namespace vmcred::supervise
