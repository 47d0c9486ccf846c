#include "store/former.h"

#include "matchers.h"

namespace vmcred::store {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

const SystemTime kDay = parse_rfc3339("2026-11-30T12:00:00Z").value();

AccessChange change(std::string before, std::string after, std::vector<std::string> lost,
                    std::vector<std::string> regained = {}) {
  return {.file = "key",
          .digest_before = std::move(before),
          .digest_after = std::move(after),
          .lost = std::move(lost),
          .regained = std::move(regained),
          .now = kDay};
}

TEST(Former, ComesBackAsItWasWritten) {
  Former former;
  note_access(former, change("a", "b", {"user bob", "machine web"}));
  const auto back = parse_former(print_former(former));
  ASSERT_THAT(back, Succeeds());
  EXPECT_EQ(*back, former);
  EXPECT_EQ(former_text(back->at("key").until),
            "readable by machine web until 2026-11-30, bob until 2026-11-30: rotate");
}

TEST(Former, IsCarriedOverAReEncryptionAndDroppedWithTheValue) {
  Former former;
  note_access(former, change("a", "b", {"user bob"}));
  note_access(former, change("b", "c", {"user eve"}));
  EXPECT_EQ(former.at("key").until.size(), 2U);
  EXPECT_EQ(former.at("key").digest, "c");
  note_access(former, change("x", "y", {"user eve"}));  // the value had become another one
  EXPECT_EQ(former.at("key").until.size(), 1U);
}

TEST(Former, ForgetsWhoMayReadItAgain) {
  Former former;
  note_access(former, change("a", "b", {"user bob"}));
  note_access(former, change("b", "b", {}, {"user bob"}));
  EXPECT_TRUE(former.empty());
}

TEST(Former, RefusesWhatIsDamaged) {
  EXPECT_THAT(parse_former("{}"), FailsWith(Errc::invalid_data, HasSubstr("version")));
  EXPECT_THAT(parse_former(R"({"version":1,"files":{"key":{"value":"a"}}})"),
              FailsWith(Errc::invalid_data, HasSubstr("whole")));
}

}  // namespace
}  // namespace vmcred::store
