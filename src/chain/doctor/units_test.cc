// What systemd shows becomes a verdict that names credential, path and error.
#include "chain/doctor/doctor.h"
#include "matchers.h"

namespace vmcred::chain::doctor {
namespace {

using ::testing::_;
using ::testing::ElementsAre;
using testing::FailsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::Succeeds;
using testing::TestFolder;

std::vector<std::string> told(const std::vector<Finding>& findings) {
  std::vector<std::string> texts;
  for (const Finding& each : findings) texts.push_back(fmt::format("{} {}", code_name(each.code), each.message));
  return texts;
}

UnitState failed(std::string name, std::vector<std::string> files, int status = kExitCredentials) {
  return {.name = std::move(name),
          .load = "loaded",
          .active = "failed",
          .result = "exit-code",
          .exit_status = status,
          .files = std::move(files)};
}

TEST(UnitStates, AreBlocksOfProperties) {
  const auto units = read_unit_states(
      "Id=microvm@a.service\nMainPID=12\nActiveState=active\nResult=success\nExecMainStatus=0\nFragmentPath=/u/"
      "microvm@.service\nDropInPaths=/u/a.conf /u/b.conf\n\n"
      "LoadState=loaded\n\nId=microvm@b.service\nDropInPaths=/u/c.conf\nFragmentPath=/u/"
      "x\nActiveState=activating\nResult=exit-code\nExecMainStatus=243\n");
  ASSERT_EQ(units.size(), 2u);
  EXPECT_EQ(units[0].main_pid, 12);
  EXPECT_THAT(units[0].files, ElementsAre("/u/microvm@.service", "/u/a.conf", "/u/b.conf"));
  EXPECT_FALSE(units[0].failed());
  EXPECT_THAT(units[1].files, ElementsAre("/u/x", "/u/c.conf"));
  EXPECT_TRUE(units[1].failed());
  EXPECT_TRUE(read_unit_states("nonsense\n\n\n=\n").empty());
}

TEST(UnitStates, AMachineWithoutSystemdSaysSo) {
  const Doors doors = {.run = [](const auto&) -> Result<Output> {
    return Output{.status = {.code = 1}, .out = {}, .err = "System has not been booted\nx"};
  }};
  EXPECT_THAT(unit_states(doors, {"x"}),
              FailsWith(Errc::unavailable, "ask systemd about its units: System has not been booted"));
}

TEST(SystemdVersion, IsTheFirstNumber) {
  EXPECT_EQ(systemd_version("systemd 252 (252.39-1~deb12u1)\n+PAM"), 252);
  EXPECT_EQ(systemd_version("systemd 258~rc1"), 258);
  EXPECT_EQ(systemd_version("OpenRC"), 0);
}

TEST(Units, AFailedOneNamesCredentialPathErrorAndLine) {
  const TestFolder root;
  root.write("u/microvm@.service", "[Service]\nExecStart=/bin/true\n");
  root.write("u/50.conf", "[Service]\nLoadCredential=ok:/srv/ok\nLoadCredential=host-key:/srv/key\n");
  root.write("srv/ok", "x");
  const auto findings =
      examine_units({.root = root.path(), .run = {}},
                    {failed("microvm@web.service", {"/u/microvm@.service", "/u/50.conf"})}, 252, false);
  ASSERT_THAT(told(findings), ElementsAre("VC060 microvm@web.service: systemd cannot load credential 'host-key': "
                                          "'/srv/key': no such file or directory (ENOENT)"));
  EXPECT_EQ(findings[0].place.file, "/u/50.conf");
  EXPECT_EQ(findings[0].place.line, 3);
}

TEST(Units, OneThatIsWellIsLookedAtOnlyByName) {
  const TestFolder root;
  root.write("u/x.service", "[Service]\nLoadCredential=a\nImportCredential=b*\nLoadCredential=a/b:/x\n");
  UnitState unit = failed("x.service", {"/u/x.service"}, 0);
  unit.active = "active";
  unit.result = "success";
  EXPECT_THAT(examine_units({.root = root.path(), .run = {}}, {unit}, 252, false), IsEmpty());
  EXPECT_THAT(told(examine_units({.root = root.path(), .run = {}}, {unit}, 252, true)),
              ElementsAre("VC061 x.service: credential 'a' is found nowhere, and systemd starts the unit without it",
                          "VC035 x.service: systemd ignores 'LoadCredential=a/b:/x': 'a/b' is no name of a credential",
                          "VC031 x.service: systemd 252 does not know ImportCredential= and starts the unit without"));
}

TEST(Units, AFailureThatIsOverNowSaysSo) {
  const TestFolder root;
  root.write("u/x.service", "[Service]\nLoadCredential=a:/srv/a\n");
  root.write("srv/a", "x");
  const auto findings =
      examine_units({.root = root.path(), .run = {}}, {failed("x.service", {"/u/x.service"})}, 252, false);
  ASSERT_THAT(told(findings),
              ElementsAre("VC063 x.service failed: its credentials could not be set up (243/CREDENTIALS)"));
  EXPECT_THAT(findings[0].hint, HasSubstr("systemctl restart x.service"));
}

TEST(Units, OtherFailuresAreSaidInWords) {
  const TestFolder root;
  EXPECT_THAT(told(examine_units({.root = root.path(), .run = {}}, {failed("x.service", {}, 226)}, 252, false)),
              ElementsAre(HasSubstr("226/NAMESPACE")));
  UnitState limit = failed("x.service", {}, 0);
  limit.result = "start-limit-hit";
  EXPECT_THAT(told(examine_units({.root = root.path(), .run = {}}, {limit}, 252, false)),
              ElementsAre(HasSubstr("failed too often")));
}

TEST(Units, AllTogetherMustFitIntoAMebibyte) {
  const TestFolder root;
  root.write("u/x.service", "[Service]\nLoadCredential=a:/srv/a\nLoadCredential=b:/srv/a\n");
  root.write("srv/a", std::string(512 * 1024 - 1, 'x'));
  const Doors doors = {.root = root.path(), .run = {}};
  EXPECT_THAT(told(examine_units(doors, {failed("x.service", {"/u/x.service"})}, 252, false)),
              ElementsAre(HasSubstr("VC063")));
  root.write("srv/a", std::string(512 * 1024, 'x'));
  EXPECT_THAT(
      told(examine_units(doors, {failed("x.service", {"/u/x.service"})}, 252, false)),
      ElementsAre("VC062 x.service: its credentials are 1048578 bytes with their names, systemd hands out 1048576"));
}

TEST(Users, VmsOfOneUidAreNamedTogether) {
  const TestFolder root;
  for (const auto& [pid, uid] : {std::pair{"10", "64001"}, {"11", "64001"}, {"12", "64002"}})
    root.write(fmt::format("proc/{}/status", pid), fmt::format("Name:\tx\nUid:\t{0}\t{0}\t{0}\t{0}\n", uid));
  std::vector<UnitState> units;
  for (const auto& [name, pid] : {std::pair{"microvm@a.service", 10},
                                  {"microvm@b.service", 11},
                                  {"microvm@c.service", 12},
                                  {"other.service", 10}})
    units.push_back(
        {.name = name, .load = "loaded", .active = "active", .result = "success", .main_pid = pid, .files = {}});
  const auto findings = examine_users({.root = root.path(), .run = {}}, units);
  ASSERT_THAT(told(findings), ElementsAre(HasSubstr("VC078 2 vms run with uid 64001")));
  EXPECT_THAT(findings[0].details, ElementsAre("microvm@a.service", "microvm@b.service"));
}

TEST(Vms, WithOlderValuesAreNamed) {
  EXPECT_THAT(examine_vms({{.status = {.vm = "web", .state = supervise::VmState::running}}}), IsEmpty());
  const auto findings =
      examine_vms({{.status = {.vm = "web", .state = supervise::VmState::running, .older = {"host-key"}}}});
  ASSERT_THAT(told(findings), ElementsAre("VC077 its guest has 1 credential older than the store"));
  EXPECT_THAT(findings[0].details, ElementsAre("host-key"));
  EXPECT_THAT(
      told(examine_vms(
          {{.status = {.vm = "web", .state = supervise::VmState::failed, .detail = "its supervisor was killed"}}})),
      ElementsAre(HasSubstr("VC063")));
}

}  // namespace
}  // namespace vmcred::chain::doctor
