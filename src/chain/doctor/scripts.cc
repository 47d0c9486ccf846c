// What bounds a generator's script on this machine.
#include "base/file.h"
#include "chain/doctor/doctor.h"

namespace vmcred::chain::doctor {
namespace {

constexpr std::size_t kMaxControllers = 4096;

/// Why the kernel cannot count for us; empty: it can, as far as is seen without trying.
std::string why_not(const Doors& doors, const std::string& systemd_socket) {
  const auto controllers = read_file(doors.at("/sys/fs/cgroup/cgroup.controllers"), kMaxControllers);
  if (!controllers) return "this machine has no unified control groups";
  if (!(" " + *controllers).contains(" memory")) return "its unified control groups have no memory controller";
  if (systemd_socket.empty() || !exists(doors.at(systemd_socket))) return "no systemd manager of ours runs here";
  return {};
}

}  // namespace

std::vector<Finding> examine_scripts(const Doors& doors, const std::string& systemd_socket) {
  const std::string why = why_not(doors, systemd_socket);
  if (why.empty()) return {};
  return {finding(
      Code::script_memory, {.file = "/sys/fs/cgroup"},
      fmt::format("a script's memory is limited by process, not as a whole: {}", why),
      "run systemd with unified control groups; 'vmcred doctor --describe VC094' says what holds without them")};
}

}  // namespace vmcred::chain::doctor
