#include "vmm/crosvm/crosvm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"

namespace vmcred::vmm::crosvm {
namespace {

using declare::Vm;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MatchesGolden;

Vm demo_vm() {
  Vm vm;
  vm.name = "test-vm";
  vm.hypervisor = declare::Hypervisor::crosvm;
  vm.kernel = "/guest/vmlinux";
  vm.initrd = "/guest/initrd";
  vm.guest = {.systemd = 262, .systemd_in_initrd = true};
  vm.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "api-key"}},
      {.name = "cluster", .host = "", .guest = "CLUSTER", .static_value = "blue"},
  };
  return vm;
}

Result<Launch> launch_of(const Vm& vm) {
  const std::map<std::string, std::size_t> sizes = {{"host-api-key", 7}};
  return launch(vm, credential::make_plan({.vm = vm, .sizes = sizes}), {.accel = declare::Accel::kvm});
}

TEST(CrosvmLaunch, PutsTheOverlayBehindTheInitrd) {
  Vm vm = demo_vm();
  vm.disks = {{.path = "/disks/a,b.raw", .read_only = true}};
  vm.networks = {{.type = "tap", .tap = "vm-tap", .mac = "02:00:00:00:00:01"}};
  vm.vsock_cid = 5;
  vm.command_line = "root=/dev/vda";
  const auto launch = launch_of(vm);
  std::string text = launch ? "" : launch.error().message;
  if (launch) {
    for (const std::string& word : launch->argv) text += word + "\n";
    EXPECT_EQ(launch->blobs.size(), 1U);
  }
  EXPECT_THAT(text, MatchesGolden("crosvm/devices.args"));
}

TEST(CrosvmLaunch, RefusesWithTheReason) {
  Vm vm = demo_vm();
  vm.guest.systemd = 257;
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::invalid_data, HasSubstr("systemd 257")));
  vm = demo_vm();
  vm.extra_arguments = {"--smbios", "oem-strings=[x]"};
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("'--smbios'")));
  vm = demo_vm();
  vm.extra_arguments = {"-s", "x"};
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("'-s' cannot be used with crosvm")));
  vm = demo_vm();
  vm.networks = {{.type = "user"}};
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("'user'")));
}

}  // namespace
}  // namespace vmcred::vmm::crosvm
