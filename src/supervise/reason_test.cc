#include "supervise/reason.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "matchers.h"

namespace vmcred::supervise {
namespace {

Secrets values() {
  Secrets secrets;
  secrets.emplace("host-api-key", testing::secret("Zq7-canary-of-40-bytes-that-is-a-secret!"));
  secrets.emplace("host-pin", testing::secret("4711"));
  return secrets;
}

TEST(ReasonOf, JoinsTheChainOfCloudHypervisorOutermostFirst) {
  EXPECT_EQ(reason_of(R"json(["Error from API","The VM could not boot","Address already in use (os error 98)"])json",
                      values()),
            "Error from API: The VM could not boot: Address already in use (os error 98)");
}

TEST(ReasonOf, TakesTheFaultOfFirecracker) {
  EXPECT_EQ(reason_of(R"({"fault_message":"Unable to open 'disk.img'"})", values()), "Unable to open 'disk.img'");
}

TEST(ReasonOf, SaysNothingWhereTheAnswerIsNeither) {
  for (const char* const answer : {"", "oops", "{}", "[]", "[1]", R"({"error":"x"})", "[[[[[[]]]]]]"})
    EXPECT_EQ(reason_of(answer, values()), "");
}

TEST(ReasonOf, NeverShowsAPartOfAValue) {
  for (const char* const echo : {
           "invalid type: string \\\"Zq7-canary-of-40-bytes-that-is-a-secret!\\\"",  // whole
           "at ...nary-of-40-bytes-tha...",                                          // a part
           "at WnE3LWNhbmFyeS1vZi00MC1ieXRlcy",                                      // base64
           "at io.systemd.credential.binary:X=NDcx",                                 // what stands before one
           "bad word NDcxMQ==",                                                      // a short one as a body has it
       }) {
    const std::string reason = reason_of(fmt::format(R"json(["Error from API","{}","line 1"])json", echo), values());
    EXPECT_EQ(reason, "Error from API: (withheld: it repeats a part of a credential): line 1") << echo;
  }
}

TEST(ReasonOf, EndsSomewhere) {
  EXPECT_LE(reason_of("[\"" + std::string(20'000, 'x') + "\"]", values()).size(), kMaxReason + 3);
}

}  // namespace
}  // namespace vmcred::supervise
