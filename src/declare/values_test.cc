#include "declare/values.h"

#include "matchers.h"

namespace vmcred::declare {
namespace {

TEST(Values, ReadSizes) {
  EXPECT_EQ(parse_size("512M"), 512ULL << 20);
  EXPECT_EQ(parse_size("2G"), 2ULL << 30);
  EXPECT_EQ(parse_size("4096"), 4096U);
  for (const char* bad : {"", "M", "-1M", "1.5G", "512 M", "512MB", "99999999999T"})
    EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Values, PrintSizesInTheLargestUnitThatIsExact) {
  EXPECT_EQ(format_size(512ULL << 20), "512M");
  EXPECT_EQ(format_size(1025), "1025");
}

TEST(Values, ReadTimes) {
  EXPECT_EQ(parse_seconds("90s"), std::chrono::seconds(90));
  EXPECT_EQ(parse_seconds("5m"), std::chrono::minutes(5));
  EXPECT_EQ(parse_days("2w"), std::chrono::days(14));
  for (const char* bad : {"", "90", "s", "1d", "-1s", "99999999h"}) EXPECT_FALSE(parse_seconds(bad)) << bad;
  for (const char* bad : {"", "0d", "90", "90s", "999999y"}) EXPECT_FALSE(parse_days(bad)) << bad;
}

TEST(Values, ReadModesOfExactlyFourOctalDigits) {
  EXPECT_EQ(parse_mode("0400"), 0400U);
  EXPECT_EQ(format_mode(0440), "0440");
  for (const char* bad : {"", "400", "0800", "00400", "0x40", "rw--"}) EXPECT_FALSE(parse_mode(bad)) << bad;
}

TEST(Values, ResolvePathsWithoutAskingTheFileSystem) {
  EXPECT_EQ(absolute_path("/project", "guest/vmlinuz"), "/project/guest/vmlinuz");
  EXPECT_EQ(absolute_path("/project", "./a/../b//c"), "/project/b/c");
  EXPECT_EQ(absolute_path("/project", "/../x/"), "/x");
  EXPECT_EQ(absolute_path("/project", ".."), "/");
}

}  // namespace
}  // namespace vmcred::declare
