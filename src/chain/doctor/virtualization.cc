// KVM and vsock: what guests need of this machine.
#include "base/file.h"
#include "chain/doctor/doctor.h"
#include "chain/doctor/kvm_probe.h"

namespace vmcred::chain::doctor {
namespace {

/// Three hundred times what a loaded processor needs.
constexpr std::chrono::milliseconds kProbeLimit{3000};

std::vector<Finding> judge_kvm(const KvmProbe& probe, const KvmWish& wish) {
  const declare::Place place = {.file = "/dev/kvm"};
  switch (probe.state) {
    case Kvm::works:
    case Kvm::untried:
      return {};
    case Kvm::hangs:
      return {finding(Code::kvm_hangs, place, fmt::format("it opens, but guests hang: {}", probe.detail),
                      "say accel = \"tcg\" in the declaration, or --accel tcg; in a nested machine switch nesting on "
                      "in the outer one")};
    case Kvm::refuses:
      return {finding(Code::kvm_hangs, place, fmt::format("it opens, but runs no guest: {}", probe.detail),
                      "say accel = \"tcg\" in the declaration, or --accel tcg")};
    case Kvm::absent:
    case Kvm::denied:
      break;
  }
  Finding found = finding(
      Code::no_kvm, place, fmt::format("guests run without KVM, some twenty times slower: {}", probe.detail),
      probe.state == Kvm::denied ? "join the group kvm"
                                 : "load kvm_intel or kvm_amd; in a nested machine switch nesting on in the outer one");
  if (wish.required) {
    found.level = Level::error;
    found.message = fmt::format("a declared vm has accel = \"kvm\", and there is none: {}", probe.detail);
  }
  return {std::move(found)};
}

}  // namespace

std::vector<Finding> examine_virtualization(const Doors& doors, const KvmWish& wish) {
  std::vector<Finding> findings = judge_kvm(probe_kvm(doors.at("/dev/kvm"), kProbeLimit), wish);
  if (!exists(doors.at("/dev/vhost-vsock"))) {
    findings.push_back(finding(Code::no_vsock, {.file = "/dev/vhost-vsock"},
                               "there is no vsock for QEMU's guests; vmcred needs none (virtio-serial), "
                               "ssh over vsock does",
                               "modprobe vhost_vsock"));
  }
  return findings;
}

}  // namespace vmcred::chain::doctor
