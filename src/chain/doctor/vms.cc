// Running vms whose guests hold older values than this host has activated.
#include "chain/doctor/doctor.h"

#include <algorithm>

#include "supervise/arrival.h"

namespace vmcred::chain::doctor {
namespace {

std::string counted(std::size_t number) { return fmt::format("{} credential{}", number, number == 1 ? "" : "s"); }

/// Declared services that did not load what arrived: the guest does not have them, or they failed.
void add_unproven(const supervise::Status& status, const declare::Place& place, std::vector<Finding>& findings) {
  std::vector<std::string> details;
  for (const supervise::ReceiptLine& line : status.receipts) {
    for (const supervise::ServiceLine& service : line.services) {
      if (service.state != supervise::kAbsent && service.state != "failed") continue;
      details.push_back(fmt::format("{}: {} is {}", line.guest, service.unit, service.state));
    }
  }
  if (details.empty()) return;
  Finding found = finding(
      Code::not_loaded_in_guest, place,
      fmt::format("{} arrived in its guest, but a service that should load it did not", counted(details.size())),
      fmt::format("'vmcred vm units {} --guest DIR' writes the drop-ins of the services for the guest's image; "
                  "'vmcred vm status {}' shows each",
                  status.vm, status.vm));
  found.details = std::move(details);
  findings.push_back(std::move(found));
}

}  // namespace

std::vector<Finding> examine_vms(const std::vector<RunningVm>& vms) {
  std::vector<Finding> findings;
  for (const RunningVm& vm : vms) {
    const declare::Place place = {.file = fmt::format("vm '{}'", vm.status.vm)};
    if (vm.status.state == supervise::VmState::failed) {
      findings.push_back(finding(Code::unit_failed, place, fmt::format("it is not well: {}", vm.status.detail),
                                 fmt::format("'journalctl -u microvm@{}' has what it said", vm.status.vm)));
    }
    add_unproven(vm.status, place, findings);
    const std::vector<std::string>& older = vm.status.older;
    if (older.empty()) continue;
    Finding found = finding(
        Code::outdated_guest, place, fmt::format("its guest has {} older than the store", counted(older.size())),
        fmt::format("'vmcred vm refresh {0}' brings the new ones, or 'systemctl restart microvm@{0}'", vm.status.vm));
    found.details = older;
    findings.push_back(std::move(found));
  }
  return findings;
}

}  // namespace vmcred::chain::doctor
