#include "generate/redact.h"

#include "matchers.h"

namespace vmcred::generate {
namespace {

using testing::secret;

TEST(Redacted, HidesValuesAndTheirLines) {
  const Secret value = secret("first line\nsecond line");
  EXPECT_EQ(redacted("a first line b\nsecond line", {&value}), "a [hidden] b\n[hidden]");
}

TEST(Redacted, HidesBase64AtEveryAlignmentAndHex) {
  const Secret value = secret("hunter2hunter2");
  // base64 of "xhunter2hunter2" and of "xxhunter2hunter2"
  for (const char* text : {"aHVudGVyMmh1bnRlcjI=", "eGh1bnRlcjJodW50ZXIy", "eHhodW50ZXIyaHVudGVyMg==",
                           "68756e7465723268756e74657232"}) {
    EXPECT_THAT(redacted(text, {&value}), ::testing::HasSubstr("[hidden]")) << text;
    EXPECT_THAT(redacted(text, {&value}), ::testing::Not(::testing::HasSubstr("ZXIyaHVud"))) << text;
  }
}

TEST(Redacted, LeavesShortValuesAndPlainTextAlone) {
  const Secret value = secret("yes");
  EXPECT_EQ(redacted("yes\n", {&value}), "yes");
}

TEST(Redacted, MakesControlCharactersHarmless) { EXPECT_EQ(redacted("\x1b[31mred", {}), "?[31mred"); }

TEST(Redacted, KeepsTheLastLines) { EXPECT_EQ(redacted("1\n2\n3\n", {}, 2), "…\n2\n3"); }

}  // namespace
}  // namespace vmcred::generate
