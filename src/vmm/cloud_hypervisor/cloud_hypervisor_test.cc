#include "vmm/cloud_hypervisor/cloud_hypervisor.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "matchers.h"
#include "vmm/blob.h"

namespace vmcred::vmm::cloud_hypervisor {
namespace {

using declare::Vm;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MatchesGolden;
using testing::secret;
using testing::Succeeds;

Vm demo_vm() {
  Vm vm;
  vm.name = "test-vm";
  vm.hypervisor = declare::Hypervisor::cloud_hypervisor;
  vm.kernel = "/guest/vmlinux";
  vm.initrd = "/guest/initrd";
  vm.vcpus = 2;
  vm.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "api-key"}},
      {.name = "greeting", .host = "", .guest = "GREETING", .static_value = "say \"hi\"\n"},
  };
  return vm;
}

const std::map<std::string, std::size_t> kSizes = {{"host-api-key", 7}, {"vmcred.link", 9}};

credential::Values values() {
  credential::Values all;
  all.emplace("host-api-key", secret("hunter2"));
  all.emplace("vmcred.link", secret("v1 vsock!"));
  return all;
}

Result<Launch> launch_of(const Vm& vm, bool with_link = false) {
  const auto plan =
      credential::make_plan({.vm = vm, .sizes = kSizes, .with_link = with_link, .with_reference = with_link});
  return launch(vm, plan,
                {.accel = declare::Accel::kvm, .with_link = with_link, .runtime_folder = "/run/vmcred/vm/test-vm"});
}

/// The body of vm.create with the values in it, as pretty JSON.
std::string created(const Result<Launch>& launch) {
  if (!launch) return "failed: " + launch.error().message;
  const auto body = encode_body(launch->requests.at(0).body, values());
  if (!body) return "failed: " + body.error().message;
  const auto json = parse_json(body->text());
  return json ? dump_json(*json, Indent::two_spaces) : "failed: " + json.error().message;
}

TEST(CloudHypervisorLaunch, TellsTheVmByItsApiAlone) {
  const auto launch = launch_of(demo_vm());
  ASSERT_THAT(launch, Succeeds());
  EXPECT_THAT(launch->argv, ElementsAre("cloud-hypervisor", "--api-socket", "fd=3", "--event-monitor", "fd=6"));
  EXPECT_EQ(launch->control, Control::rest_fd);
  EXPECT_EQ(launch->requests.at(1).path, "/api/v1/vm.boot");
  EXPECT_THAT(created(launch), MatchesGolden("cloud_hypervisor/simple.json"));
}

TEST(CloudHypervisorLaunch, BringsDevicesAndTheLink) {
  Vm vm = demo_vm();
  vm.guest.agent = true;
  vm.disks = {{.path = "/disks/root.raw"}, {.path = "/disks/data.qcow2", .read_only = true, .format = "qcow2"}};
  vm.networks = {{.type = "tap", .tap = "vm-tap", .mac = "02:00:00:00:00:01"}};
  vm.shares = {{.tag = "store", .socket = "/run/virtiofsd.sock"}};
  const auto launch = launch_of(vm, true);
  EXPECT_THAT(created(launch), MatchesGolden("cloud_hypervisor/devices.json"));
  EXPECT_EQ(launch->link, LinkKind::vsock);
  EXPECT_EQ(launch->link_path, "/run/vmcred/vm/test-vm/vsock.sock");
}

TEST(CloudHypervisorLaunch, UsesTheKernelLineWhereThereIsNoSmbios) {
  Vm vm = demo_vm();
  vm.architecture = "aarch64";
  vm.guest.agent = true;
  vm.credentials[1].static_value = "hello there";
  EXPECT_THAT(created(launch_of(vm, true)), MatchesGolden("cloud_hypervisor/aarch64.json"));
}

TEST(CloudHypervisorLaunch, PutsTheOverlayBehindTheInitrd) {
  Vm vm = demo_vm();
  vm.architecture = "aarch64";
  vm.guest = {.systemd = 262, .systemd_in_initrd = true};
  const auto launch = launch_of(vm);
  EXPECT_THAT(created(launch), MatchesGolden("cloud_hypervisor/initrd.json"));
  ASSERT_EQ(launch->blobs.size(), 1U);
}

TEST(CloudHypervisorLaunch, RefusesWhatItCannotDo) {
  Vm vm = demo_vm();
  vm.networks = {{.type = "user"}};
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("'user'")));
  vm = demo_vm();
  vm.extra_arguments = {"-v"};
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("extra arguments")));
  vm = demo_vm();
  vm.kernel.clear();
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::usage, HasSubstr("kernel")));
  const auto plan = credential::make_plan({.vm = vm, .sizes = kSizes});
  EXPECT_THAT(launch(demo_vm(), plan, {}), FailsWith(Errc::unavailable, HasSubstr("KVM")));
}

TEST(CloudHypervisorLaunch, CountsTheWholeRequest) {
  Vm vm = demo_vm();
  vm.guest.systemd = 257;
  vm.command_line = std::string(51'000, 'x');
  EXPECT_THAT(launch_of(vm), FailsWith(Errc::invalid_data, HasSubstr("takes 51200")));
}

}  // namespace
}  // namespace vmcred::vmm::cloud_hypervisor
