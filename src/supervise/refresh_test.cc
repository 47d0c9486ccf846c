#include "supervise/refresh.h"

#include <unistd.h>

#include "matchers.h"

namespace vmcred::supervise {
namespace {

using ::testing::_;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::secret;
using testing::Succeeds;

declare::Vm some_vm() {
  declare::Vm vm;
  vm.name = "test-vm";
  const auto add = [&vm](const std::string& name, const std::string& guest, declare::OnChange change) {
    declare::Credential credential;
    credential.name = name;
    credential.host = "host-" + name;
    credential.guest = guest;
    credential.from = std::string("/nowhere");
    credential.on_change = change;
    credential.on_change_signal = "HUP";
    vm.credentials.push_back(credential);
  };
  add("api-key", "API_KEY", declare::OnChange::restart);
  add("log-key", "LOG_KEY", declare::OnChange::signal);
  declare::Credential constant;
  constant.name = "environment";
  constant.guest = "ENVIRONMENT";
  constant.static_value = "test";
  vm.credentials.push_back(constant);
  vm.services["web"] = {.name = "web", .load_credential = {{"api-key", "API_KEY"}, {"log-key", "LOG_KEY"}}};
  vm.services["log"] = {.name = "log", .load_credential = {{"log-key", "LOG_KEY"}}};
  return vm;
}

Secrets values(std::string_view api, std::string_view log) {
  Secrets all;
  all.emplace("host-api-key", secret(api));
  all.emplace("host-log-key", secret(log));
  return all;
}

TEST(PackedValues, ComeBackAndTheFileIsEmptyThen) {
  const auto file = pack_values(values("hunter2", std::string_view("\0\n", 2)));
  ASSERT_THAT(file, Succeeds());
  const auto back = unpack_values(some_vm(), *file);
  ASSERT_THAT(back, Succeeds());
  EXPECT_TRUE(back->undeclared.empty());
  EXPECT_EQ(back->values.at("host-api-key").text(), "hunter2");
  EXPECT_EQ(back->values.at("host-log-key").text(), std::string_view("\0\n", 2));
  EXPECT_EQ(::lseek(file->get(), 0, SEEK_END), 0);
}

TEST(PackedValues, WhatTheVmDidNotDeclareHoldsUpNothingElse) {
  Secrets all = values("hunter2", "x");
  all.emplace("host-added", secret("y"));
  const auto back = unpack_values(some_vm(), *pack_values(all));
  ASSERT_THAT(back, Succeeds());
  EXPECT_EQ(back->values.size(), 2u);
  EXPECT_EQ(back->undeclared, std::vector<std::string>{"host-added"});
}

TEST(RefreshDetails, SayOfEachCredentialWhatBecameOfIt) {
  NewValues fresh = {.values = values("a", "B"), .undeclared = {"host-added"}};
  const Json details =
      refresh_details(values("a", "b"), fresh, {{.unit = "web.service", .action = link::Action::reload}});
  EXPECT_EQ(
      dump_json(details),
      R"({"credentials":[{"host":"host-added","state":"needs a restart"},{"host":"host-api-key","state":"unchanged"},)"
      R"({"host":"host-log-key","state":"refreshed"}],"services":[{"unit":"web.service","action":"reload"}]})");
}

TEST(PackedValues, EmptyOnesAndBrokenFilesAreRefused) {
  EXPECT_THAT(unpack_values(some_vm(), *pack_values(values("", "x"))),
              FailsWith(Errc::invalid_data, HasSubstr("empty")));
  EXPECT_THAT(unpack_values(some_vm(), *pack_values({})), FailsWith(Errc::usage, _));
  EXPECT_THAT(unpack_values(some_vm(), Fd()), FailsWith(Errc::usage, _));
  const auto cut = pack_values(values("hunter2", "x"));
  ASSERT_EQ(::ftruncate(cut->get(), 20), 0);
  EXPECT_THAT(unpack_values(some_vm(), *cut), FailsWith(Errc::invalid_data, HasSubstr("malformed")));
}

TEST(RefreshedSet, HoldsAllValuesAndTheStrongestActionOfEachUnit) {
  const auto set = refreshed_set(some_vm(), values("a", "b"), values("A", "B"), 7);
  ASSERT_THAT(set, Succeeds());
  EXPECT_EQ(set->generation, 7u);
  EXPECT_EQ(set->values.at("API_KEY").text(), "A");
  EXPECT_EQ(set->values.at("ENVIRONMENT").text(), "test");
  ASSERT_EQ(set->actions.size(), 2u);
  EXPECT_EQ(set->actions[0].unit, "log.service");
  EXPECT_EQ(set->actions[0].action, link::Action::signal);
  EXPECT_EQ(set->actions[0].signal, "HUP");
  EXPECT_EQ(set->actions[1].unit, "web.service");
  EXPECT_EQ(set->actions[1].action, link::Action::restart);
  EXPECT_EQ(set->actions[1].health_seconds, 2);  // nothing was declared
}

TEST(RefreshedSet, CarriesWhatTellsTheHealthOfAService) {
  declare::Vm vm = some_vm();
  for (auto& [name, service] : vm.services) {
    service.health = std::chrono::seconds(9);
    service.health_command = {"/usr/bin/check", "--quick"};
  }
  const auto set = refreshed_set(vm, values("a", "b"), values("A", "B"), 7);
  EXPECT_EQ(set->actions[0].health_seconds, 9);
  EXPECT_EQ(set->actions[0].health_command, (std::vector<std::string>{"/usr/bin/check", "--quick"}));
}

TEST(RefreshedSet, LeavesServicesAloneWhoseValuesStayed) {
  const auto set = refreshed_set(some_vm(), values("a", "b"), values("a", "B"), 2);
  ASSERT_THAT(set, Succeeds());
  ASSERT_EQ(set->actions.size(), 2u);  // both load LOG_KEY
  EXPECT_EQ(set->actions[1].action, link::Action::signal);
  EXPECT_TRUE(refreshed_set(some_vm(), values("a", "b"), values("a", "b"), 2)->actions.empty());
}

TEST(Outdated, NamesWhatDiffersAndWhatIsNotHeld) {
  const Secrets held = values("a", "b");
  EXPECT_TRUE(outdated(held, values("a", "b")).empty());
  EXPECT_EQ(outdated(held, values("a", "c")).size(), 1u);
  EXPECT_EQ(outdated({}, held).size(), 2u);
  EXPECT_TRUE(outdated(held, {}).empty());
}

}  // namespace
}  // namespace vmcred::supervise
