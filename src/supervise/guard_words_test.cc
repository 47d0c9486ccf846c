#include "supervise/guard_words.h"

#include "matchers.h"

namespace vmcred::supervise {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

const vmm::GuardRules kRules = {.allowed = {"query-status", "system_powerdown", "balloon", "GET /api/v1/vm.info"},
                                .hidden = {"oem_strings"}};

TEST(GuardWords, TakesObjectsApartWithoutLineEnds) {
  std::string bytes = R"( {"execute":"a","x":"}\"{"} {"execute":)";
  const auto first = take_object(bytes);
  ASSERT_THAT(first, Succeeds());
  EXPECT_EQ(**first, R"({"execute":"a","x":"}\"{"})");
  const auto second = take_object(bytes);
  ASSERT_THAT(second, Succeeds());
  EXPECT_FALSE(*second);
  std::string word = "quit";
  EXPECT_THAT(take_object(word), FailsWith(Errc::invalid_data, HasSubstr("no QMP command")));
  std::string endless = "{" + std::string(kMaxGuardCommand, '[');
  EXPECT_THAT(take_object(endless), FailsWith(Errc::invalid_data, HasSubstr("more than")));
}

TEST(GuardWords, LetsListedCommandsThroughAndNamesTheOthers) {
  EXPECT_EQ(judge_qmp(R"({"execute":"query-status","id":7})", kRules).refused, "");
  EXPECT_EQ(judge_qmp(R"({"execute":"balloon","arguments":{"value":1}})", kRules).arguments, R"({"value":1})");
  EXPECT_THAT(judge_qmp(R"({"execute":"pmemsave"})", kRules).refused, HasSubstr("'pmemsave'"));
  EXPECT_THAT(judge_qmp(R"({"exec-oob":"query-status"})", kRules).refused, HasSubstr("'exec-oob'"));
  EXPECT_THAT(judge_qmp(R"({"execute":"query-status","arguments":[1]})", kRules).refused, HasSubstr("'arguments'"));
  EXPECT_THAT(judge_qmp(R"({"execute":"query-status","execute":"quit"})", kRules).refused, HasSubstr("no QMP command"));
  EXPECT_THAT(judge_qmp(R"({"execute":["query-status"]})", kRules).refused, HasSubstr("does not let"));
  EXPECT_THAT(judge_qmp("{}", kRules).refused, HasSubstr("does not let"));
  EXPECT_THAT(judge_qmp("{\"execute\":\"a\\n<3>forged\\u001b\"}", kRules).refused, HasSubstr("'a?<3>forged?'"));
}

TEST(GuardWords, TranslatesAFewWordsOfTheHumanMonitor) {
  EXPECT_EQ(judge_hmp("info status", kRules).command, "query-status");
  EXPECT_EQ(judge_hmp("balloon 256", kRules).arguments, R"({"value":268435456})");
  EXPECT_THAT(judge_hmp("balloon x", kRules).refused, HasSubstr("number"));
  EXPECT_THAT(judge_hmp("xp /16x 0xe0000", kRules).refused, HasSubstr("'xp'"));
  EXPECT_THAT(judge_hmp("q", kRules).refused, HasSubstr("'quit'"));
  EXPECT_EQ(judge_hmp("", kRules).command, "");
}

TEST(GuardWords, HidesMembersAtAnyDepth) {
  auto json = parse_json(R"({"config":{"platform":{"oem_strings":["secret"],"uuid":"x"},"list":[{"oem_strings":1}]}})");
  ASSERT_THAT(json, Succeeds());
  hide(*json, kRules.hidden);
  EXPECT_EQ(dump_json(*json), R"({"config":{"platform":{"uuid":"x"},"list":[{}]}})");
}

TEST(GuardWords, ComparesRequestsWhole) {
  EXPECT_TRUE(passes({.method = "GET", .target = "/api/v1/vm.info"}, kRules));
  EXPECT_FALSE(passes({.method = "PUT", .target = "/api/v1/vm.info"}, kRules));
  EXPECT_FALSE(passes({.method = "GET", .target = "/api/v1/vm.info/"}, kRules));
  EXPECT_FALSE(passes({.method = "GET", .target = "/api/v1/vm"}, kRules));
}

}  // namespace
}  // namespace vmcred::supervise
