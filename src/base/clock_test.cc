#include "base/clock.h"

#include "matchers.h"

namespace vmcred {
namespace {

TEST(Rfc3339, GoesBothWays) {
  const auto time = parse_rfc3339("2026-01-02T03:04:05Z");
  ASSERT_THAT(time, testing::Succeeds());
  EXPECT_EQ(rfc3339(*time), "2026-01-02T03:04:05Z");
}

TEST(Rfc3339, BeyondTheClockIsItsNearestEnd) {
  EXPECT_GT(parse_rfc3339("9999-12-31T23:59:59Z").value(), parse_rfc3339("2262-01-01T00:00:00Z").value());
  EXPECT_LT(parse_rfc3339("0001-01-01T00:00:00Z").value(), parse_rfc3339("1678-01-01T00:00:00Z").value());
}

TEST(Rfc3339, RefusesOtherForms) {
  for (const char* text :
       {"", "2026-01-02", "2026-02-30T00:00:00Z", "2026-01-02T03:04:05.1Z", "2026-01-02T24:04:05Z"}) {
    EXPECT_THAT(parse_rfc3339(text), testing::FailsWith(Errc::invalid_data, testing::HasSubstr("no time"))) << text;
  }
}

}  // namespace
}  // namespace vmcred
