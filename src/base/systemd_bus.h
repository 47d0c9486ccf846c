// systemd's private bus socket (PID 1's, or a user's own manager's), spoken to directly: no bus daemon, no libsystemd,
// no systemctl to start. Only the few calls that we need (D-Bus specification 0.38, "Message Protocol";
// org.freedesktop.systemd1(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred {

/// systemd's version as the library says that PID 1 has mapped ("252" on Debian, "252.20-1.fc37" on Fedora), from the
/// text of /proc/1/maps; "" where PID 1 has none. For those who ask nothing else: the first connection to PID 1 costs
/// it more than all the rest of a receipt.
std::string mapped_version(std::string_view maps);

class SystemdBus {
 public:
  /// `unavailable` where PID 1 is not systemd; `denied` for others than root.
  static Result<SystemdBus> connect(const std::string& path = "/run/systemd/private");

  /// "252.39-1~deb12u2"
  Result<std::string> version();
  /// The ActiveState of each unit.
  Result<std::map<std::string, std::string>> active_states(const std::vector<std::string>& units);
  /// Makes a scope with that process in it, a part of the cgroup tree that is left to us (Delegate=yes), and gives the
  /// job.
  Result<std::string> start_scope(const std::string& unit, const std::string& description, pid_t process);
  /// Moves a process of ours into a cgroup ("/name") below such a scope, also where we may not.
  Result<> attach(const std::string& unit, const std::string& cgroup, pid_t process);
  /// Those of the units that a queued job will start.
  Result<std::vector<std::string>> about_to_start(const std::vector<std::string>& units);
  /// Queues a job of that kind ("RestartUnit", "ReloadOrRestartUnit", "StartUnit", "StopUnit"; mode "replace") and
  /// gives its object path.
  Result<std::string> queue_job(const std::string& method, const std::string& unit);
  /// Forgets how often the unit was started, and that it failed (as `systemctl reset-failed`): what is asked for counts
  /// not as the restarts of a service that crashes. A unit that is not loaded has nothing to forget.
  void forget_starts(const std::string& unit);
  /// Sends a signal to the unit's main process, as its own ExecReload=kill -HUP $MAINPID would; to all of its processes
  /// where it has no main one.
  Result<> kill_unit(const std::string& unit, int signal);
  /// Whether that job still waits or runs.
  Result<bool> job_exists(const std::string& job);

 private:
  explicit SystemdBus(Fd fd) : fd_(std::move(fd)) {}
  Result<std::vector<char>> call(const std::string& path, const std::string& interface, const std::string& member,
                                 const std::string& signature, const std::string& body);
  Result<> read_exactly(std::span<char> out);
  struct UnitLine {
    std::string name;
    std::string active_state;
    std::string job;  ///< "start", "stop", …; "": none is queued
  };
  Result<std::vector<UnitLine>> list(const std::vector<std::string>& units);
  Fd fd_;
  std::uint32_t serial_ = 0;
};

}  // namespace vmcred
