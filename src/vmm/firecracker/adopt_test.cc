#include "vmm/firecracker/adopt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "matchers.h"
#include "vmm/blob.h"
#include "vmm/firecracker/conversation_test.h"

namespace vmcred::vmm::firecracker {
namespace {

using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::MatchesGolden;
using testing::Succeeds;

/// As the runner of microvm.nix builds it.
constexpr std::string_view kConfig = R"({
  "boot-source": {"kernel_image_path": "/nix/store/k/vmlinux", "initrd_path": "/nix/store/i/initrd",
                  "boot_args": "console=ttyS0 noapic acpi=off reboot=k panic=1"},
  "machine-config": {"vcpu_count": 1, "mem_size_mib": 256},
  "drives": [{"drive_id": "store", "path_on_host": "/nix/store/d/store.erofs", "is_root_device": false, "is_read_only": true}],
  "network-interfaces": [{"iface_id": "vm-net", "host_dev_name": "vm-net", "guest_mac": "02:00:00:00:00:01"}],
  "vsock": {"guest_cid": 5, "uds_path": "notify.vsock"}, "balloon": null})";

Foreign runner(std::string config = std::string(kConfig)) {
  return {.argv = {"/nix/store/x/bin/firecracker", "--config-file", "/nix/store/c/config.json", "--api-sock",
                   "test-vm.sock", "--level", "Warn"},
          .config = std::move(config)};
}

Result<Launch> adopted(const Foreign& foreign, declare::Guest guest = {.systemd = 252, .agent = true}) {
  declare::Vm declared;
  declared.name = "test-vm";
  declared.guest = guest;
  declared.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "api-key"}}};
  TRY_LET(const declare::Vm vm, describe(foreign, declared));
  const std::map<std::string, std::size_t> sizes = {{"host-api-key", 7}, {"vmcred.link", 9}};
  const auto plan =
      credential::make_plan({.vm = vm, .sizes = sizes, .with_link = guest.agent, .with_reference = guest.agent});
  return adopt(foreign, vm, plan, {.accel = declare::Accel::kvm, .with_link = guest.agent, .runtime_folder = "/run/x"});
}

TEST(FirecrackerAdopt, TurnsAConfigurationFileIntoRequests) {
  const auto launch = adopted(runner());
  EXPECT_THAT(conversation(launch), MatchesGolden("firecracker/adopt-microvm.txt"));
  ASSERT_THAT(launch, Succeeds());
  EXPECT_EQ(launch->link_path, "notify.vsock");
}

TEST(FirecrackerAdopt, PutsTheOverlayBehindTheInitrd) {
  const auto launch = adopted(runner(), {.systemd = 262, .systemd_in_initrd = true});
  ASSERT_THAT(launch, Succeeds());
  ASSERT_EQ(launch->blobs.size(), 1U);
  EXPECT_EQ(std::get<InitrdBlob>(launch->blobs[0]).base, "/nix/store/i/initrd");
  EXPECT_THAT(conversation(launch), HasSubstr(R"("initrd_path":"/proc/self/fd/10")"));
}

TEST(FirecrackerAdopt, LogsNoBodiesWhateverLevelIsAskedFor) {
  struct Case {
    std::vector<std::string> given;
    std::vector<std::string> kept;
    bool warned = false;
  };
  for (const auto& [given, kept, warned] : {
           Case{{}, {"--level", "Warn"}},
           Case{{"--level", "error"}, {"--level", "error"}},
           Case{{"--level", "WARNING"}, {"--level", "WARNING"}},
           Case{{"--level", "Info"}, {"--level", "Warn"}, true},
           Case{{"--level", "TRACE"}, {"--level", "Warn"}, true},
           Case{{"--level=debug"}, {"--level=Warn"}, true},
       }) {
    Foreign foreign = runner();
    foreign.argv.resize(5);
    foreign.argv.insert(foreign.argv.end(), given.begin(), given.end());
    const auto launch = adopted(foreign);
    ASSERT_THAT(launch, Succeeds());
    std::vector<std::string> expected = {"/nix/store/x/bin/firecracker", "--api-sock", "/run/x/firecracker.sock"};
    expected.insert(expected.end(), kept.begin(), kept.end());
    EXPECT_EQ(launch->argv, expected);
    EXPECT_EQ(launch->warnings.size(), warned ? 1U : 0U);
  }
  std::string config(kConfig);
  config.insert(1, R"("logger":{"level":"Debug","log_path":"fc.log"},)");
  const auto launch = adopted(runner(config));
  EXPECT_THAT(conversation(launch), HasSubstr(R"(PUT /logger {"level":"Warn","log_path":"fc.log"})"));
  ASSERT_THAT(launch, Succeeds());
  EXPECT_THAT(launch->warnings, ElementsAre(HasSubstr("Firecracker's log level is Warn, not Debug")));
}

TEST(FirecrackerAdopt, NamesWhatItCannotTranslate) {
  EXPECT_THAT(adopted({.argv = {"firecracker", "--api-sock", "x"}}),
              FailsWith(Errc::usage, HasSubstr("'--config-file'")));
  EXPECT_THAT(adopted(runner("{}")), FailsWith(Errc::usage, HasSubstr("'boot-source'")));
  EXPECT_THAT(adopted(runner("[")), FailsWith(Errc::invalid_data, HasSubstr("/nix/store/c/config.json")));
  EXPECT_THAT(adopted(runner(R"({"boot-source":{"kernel_image_path":"/k"},"pmem":[]})")),
              FailsWith(Errc::usage, HasSubstr("'pmem'")));
  EXPECT_THAT(adopted(runner(R"({"boot-source":{"kernel_image_path":"/k"},"drives":[{"drive_id":"../x"}]})")),
              FailsWith(Errc::usage, HasSubstr("'drive_id'")));
  Foreign other = runner();
  other.argv.push_back("--frobnicate");
  EXPECT_THAT(adopted(other), FailsWith(Errc::usage, HasSubstr("'--frobnicate'")));
  other.argv.back() = "--enable-pci";
  EXPECT_THAT(adopted(other), Succeeds());
  Foreign metadata = runner();
  metadata.argv.insert(metadata.argv.end(), {"--metadata", "/x"});
  EXPECT_THAT(adopted(metadata), FailsWith(Errc::usage, HasSubstr("'--metadata'")));
}

}  // namespace
}  // namespace vmcred::vmm::firecracker
