#include "supervise/guard_words.h"

#include <ranges>

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

TEST(GuardWords, LetsThroughOnlyTheKeysThatEndAGuest) {
  const vmm::GuardRules rules = {.allowed = {"input-send-event"}};
  const auto pressed = [&rules](std::string_view keys, std::string_view more = "") {
    std::string events;
    for (const auto& part : std::views::split(keys, ' ')) {
      events += fmt::format(R"({}{{"type":"key","data":{{"down":true,"key":{{"type":"qcode","data":"{}"}}}}}})",
                            events.empty() ? "" : ",", std::string_view(part.begin(), part.end()));
    }
    return judge_qmp(fmt::format(R"({{"arguments":{{"events":[{}]{}}},"execute":"input-send-event"}})", events, more),
                     rules);
  };
  // What a runner of microvm.nix says to end its QEMU, byte for byte but for the order of members.
  EXPECT_EQ(pressed("ctrl alt delete").refused, "");
  EXPECT_THAT(pressed("ctrl alt delete").arguments, HasSubstr("delete"));
  EXPECT_THAT(pressed("ctrl alt f1").refused, HasSubstr("does not let"));
  EXPECT_THAT(pressed("a").refused, HasSubstr("does not let"));
  EXPECT_THAT(pressed("ctrl", R"(,"device":"x")").refused, HasSubstr("does not let"));
  for (
      const char* const odd :
      {R"({"execute":"input-send-event","arguments":{"events":[1]}})",
       R"({"execute":"input-send-event","arguments":{"events":{}}})",
       R"({"execute":"input-send-event","arguments":{}})",
       R"({"execute":"input-send-event","arguments":{"events":[{"type":"rel","data":{"axis":"x","value":1}}]}})",
       R"({"execute":"input-send-event","arguments":{"events":[{"type":"key","data":{"key":{"type":"number","data":1}}}]}})"}) {
    EXPECT_THAT(judge_qmp(odd, rules).refused, HasSubstr("does not let")) << odd;
  }
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
