#include "vmm/kvmtool/kvmtool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"

namespace vmcred::vmm::kvmtool {
namespace {

using declare::Vm;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MatchesGolden;

Vm demo_vm() {
  Vm vm;
  vm.name = "test-vm";
  vm.hypervisor = declare::Hypervisor::kvmtool;
  vm.kernel = "/guest/bzImage";
  vm.initrd = "/guest/initrd";
  vm.guest = {.systemd = 262, .systemd_in_initrd = true};
  vm.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "api-key"}}};
  return vm;
}

Result<Launch> launch_of(const Vm& vm, const Context& context = {.accel = declare::Accel::kvm}) {
  const std::map<std::string, std::size_t> sizes = {{"host-api-key", 7}};
  return launch(vm, credential::make_plan({.vm = vm, .sizes = sizes}), context);
}

TEST(KvmtoolLaunch, PutsTheOverlayBehindTheInitrd) {
  Vm vm = demo_vm();
  vm.disks = {{.path = "/disks/root.raw", .read_only = true}};
  vm.networks = {{.type = "tap", .tap = "vm-tap"}};
  const auto launch = launch_of(vm);
  std::string text = launch ? "" : launch.error().message;
  if (launch) {
    for (const std::string& word : launch->argv) text += word + "\n";
  }
  EXPECT_THAT(text, MatchesGolden("kvmtool/devices.args"));
}

TEST(KvmtoolLaunch, RefusesWithTheReason) {
  Vm vm = demo_vm();
  vm.guest.systemd_in_initrd = false;
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::invalid_data, HasSubstr("not declared to run systemd")));
  EXPECT_THAT(launch_of(demo_vm(), {}), FailsWith(Errc::unavailable, HasSubstr("KVM")));
  vm = demo_vm();
  vm.disks = {{.path = "/a,b"}};
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("'/a,b'")));
}

}  // namespace
}  // namespace vmcred::vmm::kvmtool
