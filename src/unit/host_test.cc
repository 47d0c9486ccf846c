#include "unit/host.h"

#include <unistd.h>

#include "base/process.h"
#include "matchers.h"
#include "unit/install.h"

namespace vmcred::unit {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::MatchesGolden;
using testing::Succeeds;
using testing::TestFolder;

declare::Credential from_var(const std::string& name, const std::string& file) {
  return {.name = name, .host = "host-" + name, .guest = name, .from = declare::VarRef{"test-vm-secrets", file}};
}

/// The guide's example.
declare::Declaration guide() {
  declare::Declaration declaration;
  declaration.machines["britton-desktop"] = {.name = "britton-desktop"};
  declare::Generator generator{.name = "test-vm-secrets", .machines = {"britton-desktop"}};
  for (const char* name : {"api-key", "db-password", "jwt-secret"}) generator.files[name] = {.name = name};
  declaration.generators[generator.name] = generator;
  declare::Vm vm{.name = "test-vm", .machine = "britton-desktop", .kernel = "/etc/vmcred/guest/vmlinuz"};
  vm.credentials = {from_var("api-key", "api-key"),
                    {.name = "cluster", .host = "", .guest = "CLUSTER", .static_value = "britton-desktop"},
                    from_var("db-password", "db-password"),
                    from_var("jwt-secret", "jwt-secret")};
  declaration.vms[vm.name] = vm;
  return declaration;
}

std::string drop_in(const declare::Declaration& declaration, const Host& host = {}) {
  const auto file = vm_drop_in(declaration, declaration.vms.at("test-vm"), host);
  EXPECT_THAT(file, Succeeds());
  return file ? file->text : "";
}

TEST(UserOf, IsTheNameWhereItFitsAndAHashWhereItDoesNot) {
  EXPECT_EQ(user_of("test-vm"), "vmcred-test-vm");
  EXPECT_EQ(user_of(std::string(24, 'a')), "vmcred-" + std::string(24, 'a'));
  EXPECT_EQ(user_of(std::string(25, 'a')), "vmcred-2f521e2a7d0bd812");
  EXPECT_EQ(user_of("2f521e2a7d0bd812").size(), 23U);
  EXPECT_NE(user_of("2f521e2a7d0bd812"), user_of(std::string(25, 'a')));
}

TEST(VmTemplate, IsWhatPackagesShip) {
  EXPECT_THAT(vm_template({})->text, MatchesGolden("../../packaging/systemd/microvm@.service"));
}
TEST(MemoryUnit, IsWhatPackagesShip) {
  EXPECT_THAT(memory_unit({}, false)->text, MatchesGolden("../../packaging/systemd/vmcred-memory.service"));
  EXPECT_THAT(
      memory_unit({}, true)->text,
      HasSubstr("activate --mount\nExecStart=/usr/bin/vmcred --project /etc/vmcred activate --early --mount\n"));
}
TEST(ActivateUnit, IsWhatPackagesShip) {
  EXPECT_THAT(activate_unit({})->text, MatchesGolden("../../packaging/systemd/vmcred-activate.service"));
}
TEST(EarlyUnit, DecryptsBeforeThereAreUsers) {
  const auto unit = early_unit({});
  ASSERT_THAT(unit, Succeeds());
  EXPECT_THAT(unit->text, HasSubstr("DefaultDependencies=no\n"));
  EXPECT_THAT(unit->text, HasSubstr("Before=systemd-sysusers.service userborn.service sysinit.target"));
  EXPECT_THAT(unit->text, HasSubstr(" activate --early\n"));
  EXPECT_THAT(unit->text, HasSubstr("WantedBy=sysinit.target\n"));
}

TEST(VmDropIn, HasTheGuidesLines) { EXPECT_THAT(drop_in(guide()), MatchesGolden("units/guide.conf")); }

TEST(ActivateUnit, SaysWhichMachineThisIsWhereThereAreSeveral) {
  EXPECT_THAT(activate_unit({.machine = "britton-desktop"})->text,
              HasSubstr("ExecStart=/usr/bin/vmcred --project /etc/vmcred --machine britton-desktop activate\n"));
}

TEST(VmTemplate, QuotesAProjectFolderWithASpace) {
  EXPECT_THAT(vm_template({.project = "/srv/my vms/50%"})->text,
              HasSubstr("ExecStart=/usr/bin/vmcred --project \"/srv/my vms/50%%\" vm run %i\n"));
}

TEST(VmDropIn, LoadsEachHostNameOnceAndAbsolutePathsAsTheyAre) {
  auto declaration = guide();
  auto& credentials = declaration.vms["test-vm"].credentials;
  credentials = {from_var("api-key", "api-key"), from_var("api-key", "api-key")};
  credentials.push_back(
      {.name = "odd", .host = "host-o\\d%d", .guest = "ODD", .from = std::string("/etc/se cret:100%")});
  const std::string text = drop_in(declaration);
  EXPECT_EQ(text.find("host-api-key"), text.rfind("host-api-key"));
  EXPECT_THAT(text, HasSubstr("LoadCredential=host-o\\\\d%%d:/etc/se cret:100%%\n"));
}

TEST(VmDropIn, OpensOnlyTheDevicesAndPathsThatTheVmNeeds) {
  auto declaration = guide();
  declare::Vm& vm = declaration.vms["test-vm"];
  vm.kernel = "/home/me/vm linux";
  vm.disks = {{.path = "/var/lib/vmcred/test-vm/own.img"},
              {.path = "/srv/disk.img"},
              {.path = "/tmp/x.img"},
              {.path = "/srv/ro.img", .read_only = true},
              {.path = "/dev/vg/lv"}};
  vm.networks = {{.type = "tap", .tap = "tap0"}};
  vm.vsock_cid = 7;
  vm.receipt_timeout = std::chrono::seconds(500);
  EXPECT_THAT(drop_in(declaration), MatchesGolden("units/everything.conf"));
}

TEST(VmDropIn, LeavesTimeForASlowVmm) {
  auto declaration = guide();
  declaration.vms["test-vm"].start_timeout = std::chrono::seconds(200);
  EXPECT_THAT(drop_in(declaration), HasSubstr("\nTimeoutStartSec=530s\n"));
}

TEST(VmDropIn, OfATcgVmHasNoDevices) {
  auto declaration = guide();
  declaration.vms["test-vm"].accel = declare::Accel::tcg;
  EXPECT_EQ(drop_in(declaration).find("/dev"), std::string::npos);
}

TEST(VmDropIn, ShowsAProjectThatTheConfinementHidesOnce) {
  auto declaration = guide();
  declaration.vms["test-vm"].kernel = "/root/project/guest/vmlinuz";
  const std::string text = drop_in(declaration, {.program = "/root/build/vmcred", .project = "/root/project"});
  EXPECT_THAT(text,
              HasSubstr("ProtectHome=tmpfs\nBindReadOnlyPaths=/root/build/vmcred\nBindReadOnlyPaths=/root/project\n"));
  EXPECT_EQ(text.find("vmlinuz"), std::string::npos);
}

TEST(VmDropIn, RefusesAVarThatNoMachineGets) {
  auto declaration = guide();
  declaration.generators["test-vm-secrets"].files["api-key"].deploy = false;
  EXPECT_THAT(vm_drop_in(declaration, declaration.vms["test-vm"], {}),
              FailsWith(Errc::invalid_data, HasSubstr("not deployed")));
}

TEST(VmDropIn, RefusesACredentialThatWouldAddALine) {
  auto declaration = guide();
  declaration.vms["test-vm"].credentials[0].from = std::string("/etc/x\nExecStartPre=/bin/sh");
  EXPECT_THAT(vm_drop_in(declaration, declaration.vms["test-vm"], {}),
              FailsWith(Errc::invalid_data, HasSubstr("control character")));
}

/// Runs a systemd tool over the units of the guide in a folder of their own.
Output over_units(const std::vector<std::string>& words, const TestFolder& folder) {
  const auto files = host_units(guide(), "britton-desktop", {.program = "/usr/bin/env", .project = "/etc"});
  EXPECT_THAT(files, Succeeds());
  EXPECT_THAT(install_units(folder.path(), *files, Scope::host), Succeeds());
  std::vector<std::string> argv = words;
  auto output = run({.argv = argv,
                     .environment = std::vector<std::string>{
                         "PATH=/usr/bin:/bin", "SYSTEMD_UNIT_PATH=" + folder.path() + ":/usr/lib/systemd/system"}});
  EXPECT_THAT(output, Succeeds());
  return output ? *std::move(output) : Output{};
}

TEST(HostUnits, AreVerifiedBySystemdItself) {
  const TestFolder folder;
  const Output output = over_units({"systemd-analyze", "verify", "--man=no", folder / "microvm@test-vm.service",
                                    folder / "vmcred-memory.service", folder / "vmcred-activate.service"},
                                   folder);
  EXPECT_TRUE(output.status.ok()) << output.err;
  EXPECT_EQ(output.err, "");
}

TEST(HostUnits, ScoreAtMostTwo) {
  const TestFolder folder;
  const Output output = over_units({"systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager",
                                    folder / "microvm@test-vm.service"},
                                   folder);
  EXPECT_TRUE(output.status.ok()) << output.out << output.err;
  EXPECT_THAT(output.out, HasSubstr("Overall exposure level"));
}

}  // namespace
}  // namespace vmcred::unit
