#include "unit/guest.h"

#include "matchers.h"

namespace vmcred::unit {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::MatchesGolden;
using testing::Succeeds;

declare::Vm vm_with(declare::GuestService service) {
  declare::Vm vm;
  vm.name = "test-vm";
  vm.services[service.name] = service;
  return vm;
}

TEST(GuestDropIns, GiveTheGuidesLinesAndInsistOnEachCredential) {
  const auto files = guest_drop_ins(vm_with({.name = "demo-oem-credentials",
                                             .load_credential = {{"environment", "ENVIRONMENT"},
                                                                 {"cluster", "CLUSTER"},
                                                                 {"api-key", "API_KEY"},
                                                                 {"db-password", "DB_PASSWORD"},
                                                                 {"jwt-secret", "JWT_SECRET"}}}));
  ASSERT_THAT(files, Succeeds());
  ASSERT_EQ(files->size(), 1U);
  EXPECT_EQ((*files)[0].path, "demo-oem-credentials.service.d/50-vmcred.conf");
  EXPECT_THAT((*files)[0].text, MatchesGolden("units/guest-demo-oem-credentials.conf"));
}

TEST(GuestDropIns, AssertsACredentialOnceAndNotOneThatAConditionWouldMisread) {
  const auto files =
      guest_drop_ins(vm_with({.name = "odd.service", .load_credential = {{"a", "X"}, {"b", "X"}, {"c", "!Y%i"}}}));
  ASSERT_THAT(files, Succeeds());
  EXPECT_EQ((*files)[0].path, "odd.service.d/50-vmcred.conf");
  EXPECT_THAT((*files)[0].text,
              HasSubstr("[Unit]\nAssertCredential=X\n\n[Service]\nLoadCredential=a:X\nLoadCredential=b:X\n"
                        "LoadCredential=c:!Y%%i\n"));
}

TEST(GuestDropIns, AReloadBringsNewValuesWhereSystemdKnowsHow) {
  declare::Vm vm = vm_with({.name = "web", .load_credential = {{"key", "API_KEY"}}});
  vm.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .on_change = declare::OnChange::reload}};
  vm.guest.systemd = 259;
  EXPECT_THAT(guest_drop_ins(vm)->front().text, ::testing::Not(HasSubstr("RefreshOnReload")));
  vm.guest.systemd = 260;
  EXPECT_THAT(guest_drop_ins(vm)->front().text, HasSubstr("LoadCredential=key:API_KEY\nRefreshOnReload=credentials\n"));
}

TEST(GuestDropIns, AnExecReloadFindsItsCredentials) {
  declare::Vm vm = vm_with({.name = "web", .load_credential = {{"key", "API_KEY"}}});
  vm.credentials = {
      {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .on_change = declare::OnChange::reload}};
  vm.guest.systemd = 252;
  EXPECT_THAT(guest_drop_ins(vm)->front().text, ::testing::Not(HasSubstr("\nPrivateMounts=yes")));
  vm.credentials.front().on_change = declare::OnChange::restart;
  EXPECT_THAT(guest_drop_ins(vm)->front().text, HasSubstr("\nPrivateMounts=yes"));
}

TEST(GuestDropIns, AssertsWhatTheAgentPutsIntoTheCredstoreToo) {
  declare::Vm vm = vm_with({.name = "web", .load_credential = {{"key", "API_KEY"}, {"odd", "A*B"}}});
  vm.guest.agent = true;
  const std::string text = guest_drop_ins(vm)->front().text;
  EXPECT_THAT(text, HasSubstr("\nAssertPathExistsGlob=/run/{credentials/@system,credstore}/API_KEY\n"));
  EXPECT_THAT(text, ::testing::Not(HasSubstr("\nAssertCredential=API_KEY")));
  EXPECT_THAT(text, HasSubstr("\nAssertCredential=A*B\n"));  // a pattern would be another name
}

TEST(GuestDropIns, NameTheAgentsFolderWhereSystemdDoesNotLookThereByItself) {
  declare::Vm vm = vm_with({.name = "web", .load_credential = {{"key", "API_KEY"}}});
  vm.guest.systemd = 249;
  EXPECT_THAT(guest_drop_ins(vm)->front().text, HasSubstr("LoadCredential=key:/run/credstore/API_KEY\n"));
  EXPECT_THAT(guest_drop_ins(vm)->front().text, ::testing::Not(HasSubstr("Assert")));
}

TEST(GuestDropIns, SkipsServicesWithoutCredentialsAndRefusesOtherFolders) {
  EXPECT_TRUE(guest_drop_ins(vm_with({.name = "plain"}))->empty());
  EXPECT_THAT(guest_drop_ins(vm_with({.name = "../x", .load_credential = {{"a", "X"}}})),
              FailsWith(Errc::invalid_data, HasSubstr("'../x'")));
}

}  // namespace
}  // namespace vmcred::unit
