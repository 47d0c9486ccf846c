#include "vmm/firecracker/firecracker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"
#include "vmm/firecracker/conversation_test.h"

namespace vmcred::vmm::firecracker {
namespace {

using declare::Vm;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MatchesGolden;
using ::testing::Not;
using testing::Succeeds;

Vm demo_vm() {
  Vm vm;
  vm.name = "test-vm";
  vm.hypervisor = declare::Hypervisor::firecracker;
  vm.kernel = "/guest/vmlinux";
  vm.initrd = "/guest/initrd";
  vm.guest = {.systemd = 252, .agent = true};
  vm.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "api-key"}},
      {.name = "cluster", .host = "", .guest = "CLUSTER", .static_value = "blue green"},
  };
  return vm;
}

const std::map<std::string, std::size_t> kSizes = {{"host-api-key", 7}, {"vmcred.link", 9}};

Result<Launch> launch_of(const Vm& vm) {
  const bool link = vm.guest.agent;
  const auto plan = credential::make_plan({.vm = vm, .sizes = kSizes, .with_link = link, .with_reference = link});
  return launch(vm, plan,
                {.accel = declare::Accel::kvm, .with_link = link, .runtime_folder = "/run/vmcred/vm/test-vm"});
}

TEST(FirecrackerLaunch, BringsTheTokenOnTheKernelLineAndTheRestByReference) {
  const auto launch = launch_of(demo_vm());
  EXPECT_THAT(conversation(launch), MatchesGolden("firecracker/reference.txt"));
  EXPECT_THAT(conversation(launch), Not(HasSubstr("hunter2")));
}

TEST(FirecrackerLaunch, BringsDevicesAndTheOverlay) {
  Vm vm = demo_vm();
  vm.guest = {.systemd = 262, .systemd_in_initrd = true};
  vm.disks = {{.path = "/disks/root.raw", .read_only = true}};
  vm.networks = {{.type = "tap", .tap = "vm-tap", .mac = "02:00:00:00:00:01"}};
  const auto launch = launch_of(vm);
  EXPECT_THAT(conversation(launch), MatchesGolden("firecracker/devices.txt"));
  ASSERT_THAT(launch, Succeeds());
  EXPECT_EQ(launch->blobs.size(), 1U);
  EXPECT_EQ(launch->link, LinkKind::none);
}

TEST(FirecrackerLaunch, RefusesWhatItCannotDo) {
  Vm vm = demo_vm();
  vm.guest.agent = false;
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::invalid_data, HasSubstr("'API_KEY'")));
  vm = demo_vm();
  vm.shares = {{.tag = "x", .socket = "/s"}};
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("shared folders")));
  vm = demo_vm();
  vm.extra_arguments = {"--config-file", "/x"};
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("'--config-file'")));
  vm = demo_vm();
  vm.disks = {{.path = "/d", .format = "qcow2"}};
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("raw disks")));
}

}  // namespace
}  // namespace vmcred::vmm::firecracker
