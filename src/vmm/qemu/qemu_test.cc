#include "vmm/qemu/qemu.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"

namespace vmcred::vmm::qemu {
namespace {

using declare::Vm;
using ::testing::Contains;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MatchesGolden;
using ::testing::Not;
using testing::Succeeds;

Vm demo_vm() {
  Vm vm;
  vm.name = "test-vm";
  vm.kernel = "/guest/vmlinuz";
  vm.initrd = "/guest/initrd";
  vm.vcpus = 2;
  vm.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "api-key"}},
      {.name = "cluster", .host = "", .guest = "CLUSTER", .static_value = "britton-desktop"},
      {.name = "jwt-secret", .host = "host-jwt-secret", .guest = "JWT_SECRET", .from = declare::VarRef{"g", "jwt"}},
  };
  return vm;
}

std::map<std::string, std::size_t> demo_sizes() {
  return {{"host-api-key", 44}, {"host-jwt-secret", 88}, {"vmcred.link", 74}};
}

Result<Launch> launch_with(const Vm& vm, Context context, const std::map<std::string, std::size_t>& sizes) {
  const auto plan = credential::make_plan({.vm = vm, .sizes = sizes, .with_link = context.with_link});
  return launch(vm, plan, context);
}

std::string one_a_line(const Result<Launch>& launch) {
  if (!launch) return "failed: " + launch.error().message;
  std::string text;
  for (const std::string& word : launch->argv) text += word + "\n";
  return text;
}

TEST(QemuLaunch, StartsQ35WithOneStructure) {
  const auto launch = launch_with(demo_vm(), {}, demo_sizes());
  EXPECT_THAT(one_a_line(launch), MatchesGolden("qemu/q35.args"));
  ASSERT_EQ(launch->blobs.size(), 1U);
  EXPECT_EQ(launch->link, LinkKind::none);
}

TEST(QemuLaunch, StartsQ35WithKvmAndTheLink) {
  const auto launch = launch_with(demo_vm(), {.accel = declare::Accel::kvm, .with_link = true}, demo_sizes());
  EXPECT_THAT(one_a_line(launch), MatchesGolden("qemu/q35-kvm-link.args"));
  EXPECT_EQ(launch->link, LinkKind::serial);
}

TEST(QemuLaunch, GivesTheGuestAVsockThatEndsInOurFolder) {
  Vm vm = demo_vm();
  vm.guest.systemd = 257;
  vm.vsock_device = "vhost-device-vsock";
  const auto launch = launch_with(vm, {.with_link = true, .runtime_folder = "/run/vmcred/vm/test-vm"}, demo_sizes());
  EXPECT_THAT(one_a_line(launch), MatchesGolden("qemu/q35-vsock-device.args"));
  EXPECT_EQ(launch->link, LinkKind::vsock);
  EXPECT_EQ(launch->link_path, "/run/vmcred/vm/test-vm/vsock.sock");
  ASSERT_EQ(launch->helpers.size(), 1U);
  EXPECT_EQ(
      launch->helpers[0].argv,
      (std::vector<std::string>{
          "vhost-device-vsock", "--vm",
          "guest-cid=3,socket=/run/vmcred/vm/test-vm/vhost-vsock.sock,uds-path=/run/vmcred/vm/test-vm/vsock.sock"}));
  EXPECT_THAT(launch_with(vm, {.runtime_folder = "/run/a,b"}, demo_sizes()),
              FailsWith(Errc::usage, HasSubstr("holds a comma")));
}

TEST(QemuLaunch, StartsPcForANewerGuest) {
  Vm vm = demo_vm();
  vm.qemu_machine = "pc";
  vm.guest.systemd = 257;
  EXPECT_THAT(one_a_line(launch_with(vm, {}, demo_sizes())), MatchesGolden("qemu/pc-257.args"));
}

TEST(QemuLaunch, GivesEachStructureItsOwnOption) {
  auto sizes = demo_sizes();
  sizes["host-api-key"] = 2800;
  sizes["host-jwt-secret"] = 2800;
  const auto launch = launch_with(demo_vm(), {}, sizes);
  EXPECT_THAT(one_a_line(launch), MatchesGolden("qemu/two-structures.args"));
}

TEST(QemuLaunch, SendsWhatNoStructureHoldsByFwCfg) {
  auto sizes = demo_sizes();
  sizes["host-jwt-secret"] = 100'000;
  EXPECT_THAT(one_a_line(launch_with(demo_vm(), {}, sizes)), MatchesGolden("qemu/fw-cfg-beside-smbios.args"));
}

TEST(QemuLaunch, StartsMicrovmWithFwCfgAndAClockUnderTcg) {
  Vm vm = demo_vm();
  vm.qemu_machine = "microvm";
  const auto launch = launch_with(vm, {.host_tsc_khz = 2'000'000, .with_link = true}, demo_sizes());
  EXPECT_THAT(one_a_line(launch), MatchesGolden("qemu/microvm-tcg.args"));
}

TEST(QemuLaunch, LeavesTheClockToTheUserAndToKvm) {
  Vm vm = demo_vm();
  vm.qemu_machine = "microvm";
  vm.command_line = "tsc_early_khz=1 lpj=2";
  const auto chosen = launch_with(vm, {.host_tsc_khz = 2'000'000}, demo_sizes());
  ASSERT_THAT(chosen, Succeeds());
  EXPECT_THAT(chosen->argv, Contains("console=ttyS0 panic=-1 reboot=t tsc_early_khz=1 lpj=2"));
  vm.command_line.clear();
  const auto kvm = launch_with(vm, {.accel = declare::Accel::kvm, .host_tsc_khz = 2'000'000}, demo_sizes());
  ASSERT_THAT(kvm, Succeeds());
  EXPECT_THAT(kvm->argv, Contains("console=ttyS0 panic=-1 reboot=t"));
}

TEST(QemuLaunch, StartsVirtOnArm) {
  Vm vm = demo_vm();
  vm.qemu_machine = "virt";
  vm.architecture = "aarch64";
  EXPECT_THAT(one_a_line(launch_with(vm, {.with_link = true}, demo_sizes())), MatchesGolden("qemu/virt-aarch64.args"));
}

TEST(QemuLaunch, BringsDevicesAndDoublesCommas) {
  Vm vm = demo_vm();
  vm.disks = {{.path = "/disks/a,b.raw"}, {.path = "/disks/data.qcow2", .read_only = true, .format = "qcow2"}};
  vm.networks = {{.type = "user", .forward = {"tcp:127.0.0.1:2222:22", "udp:127.0.0.1:53:53"}},
                 {.type = "tap", .tap = "vm-tap", .mac = "02:00:00:00:00:01"}};
  vm.shares = {{.tag = "store", .socket = "/run/virtiofsd.sock"}};
  vm.vsock_cid = 7;
  vm.command_line = "root=/dev/vda rw";
  vm.extra_arguments = {"-device", "pvpanic-pci"};
  EXPECT_THAT(one_a_line(launch_with(vm, {}, demo_sizes())), MatchesGolden("qemu/devices.args"));
}

TEST(QemuLaunch, RaisesTheSlotsForManyItems) {
  Vm vm = demo_vm();
  vm.qemu_machine = "microvm";
  vm.credentials.clear();
  for (int i = 0; i < 100; ++i) {
    vm.credentials.push_back({.name = "s", .host = "", .guest = fmt::format("NAME_{}", i), .static_value = "x"});
  }
  const auto launch = launch_with(vm, {}, {});
  ASSERT_THAT(launch, Succeeds());
  EXPECT_THAT(launch->argv, Contains("fw_cfg.x-file-slots=164"));
  EXPECT_EQ(launch->blobs.size(), 100U);
}

TEST(QemuLaunch, PutsTheOverlayBehindTheInitrd) {
  Vm vm = demo_vm();
  vm.qemu_machine = "microvm";
  vm.guest = {.systemd = 262, .systemd_in_initrd = true};
  vm.credentials[0].guest = "a.guest.name.that.is.too.long.for.fw_cfg";
  const auto launch = launch_with(vm, {.host_tsc_khz = 2'000'000}, demo_sizes());
  EXPECT_THAT(one_a_line(launch), MatchesGolden("qemu/microvm-initrd.args"));
  ASSERT_TRUE(std::holds_alternative<InitrdBlob>(launch->blobs.back()));
  EXPECT_EQ(std::get<InitrdBlob>(launch->blobs.back()).base, "/guest/initrd");
}

TEST(QemuLaunch, HoldsNoValueOfASecret) {
  const auto launch = launch_with(demo_vm(), {}, demo_sizes());
  ASSERT_THAT(launch, Succeeds());
  for (const std::string& word : launch->argv) EXPECT_THAT(word, Not(HasSubstr("britton-desktop")));
}

TEST(QemuLaunch, RefusesAPlanThatIsNotDeliverable) {
  Vm vm = demo_vm();
  vm.credentials[0].guest = "vmcred.mine";
  EXPECT_THAT(launch_with(vm, {}, demo_sizes()), FailsWith(Errc::invalid_data, HasSubstr("reserved")));
}

TEST(QemuLaunch, RefusesMachineTypesThatDoNotFit) {
  Vm vm = demo_vm();
  vm.qemu_machine = "isapc";
  EXPECT_THAT(launch_with(vm, {}, demo_sizes()), FailsWith(Errc::usage, HasSubstr("'isapc'")));
  vm.qemu_machine = "virt";
  EXPECT_THAT(launch_with(vm, {}, demo_sizes()), FailsWith(Errc::usage, HasSubstr("x86_64")));
}

TEST(QemuLaunch, RefusesBadForwardsAndDisks) {
  Vm vm = demo_vm();
  vm.networks = {{.type = "user", .forward = {"2222:22"}}};
  EXPECT_THAT(launch_with(vm, {}, demo_sizes()), FailsWith(Errc::usage, HasSubstr("'2222:22'")));
  vm.networks = {{.type = "bridge"}};
  EXPECT_THAT(launch_with(vm, {}, demo_sizes()), FailsWith(Errc::usage, HasSubstr("'bridge'")));
  vm.networks.clear();
  vm.disks = {{.path = "/d", .format = "vmdk"}};
  EXPECT_THAT(launch_with(vm, {}, demo_sizes()), FailsWith(Errc::usage, HasSubstr("'vmdk'")));
}

}  // namespace
}  // namespace vmcred::vmm::qemu
