// Running vms whose guests hold older values than this host has activated.
#include "chain/doctor/doctor.h"

namespace vmcred::chain::doctor {

std::vector<Finding> examine_vms(const std::vector<RunningVm>& vms) {
  std::vector<Finding> findings;
  for (const RunningVm& vm : vms) {
    const declare::Place place = {.file = fmt::format("vm '{}'", vm.status.vm)};
    if (vm.status.state == supervise::VmState::failed) {
      findings.push_back(finding(Code::unit_failed, place, fmt::format("it is not well: {}", vm.status.detail),
                                 fmt::format("'journalctl -u microvm@{}' has what it said", vm.status.vm)));
    }
    if (vm.outdated.empty()) continue;
    Finding found = finding(
        Code::outdated_guest, place,
        fmt::format("its guest has older values of {} {} than this host", vm.outdated.size(),
                    vm.outdated.size() == 1 ? "credential" : "credentials"),
        fmt::format("'vmcred vm refresh {0}' brings the new ones, or 'systemctl restart microvm@{0}'", vm.status.vm));
    found.details = vm.outdated;
    findings.push_back(std::move(found));
  }
  return findings;
}

}  // namespace vmcred::chain::doctor
