#include "activate/users.h"

#include <sys/stat.h>

#include "matchers.h"

namespace vmcred::activate {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::TestFolder;

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/bash\n"
    "alice-the-second:x:1001:1001::/home/a:/bin/sh\n"
    "alice:x:1000:1000::/home/alice:/bin/sh\n"
    "broken\n"
    "last:x:1002:7";

TEST(NumberInDatabase, FindsAWholeNameOnly) {
  EXPECT_EQ(number_in_database(kPasswd, "alice"), 1000);
  EXPECT_EQ(number_in_database(kPasswd, "alic"), -1);
  EXPECT_EQ(number_in_database(kPasswd, "broken"), -1);
  EXPECT_EQ(number_in_database(kPasswd, "last"), 1002);
}

TEST(FindUser, TakesANumberAsItIs) { EXPECT_EQ(find_user("4711", {.passwd = "/nowhere"}).value(), 4711U); }

TEST(FindUser, RefusesTheNumberThatMeansNoChange) {
  EXPECT_THAT(find_user("4294967295", {.passwd = "/dev/null", .getent = ""}), ::testing::Not(testing::Succeeds()));
}

TEST(FindUser, AsksGetentForNamesThatTheFileDoesNotHold) {
  const TestFolder folder;
  const std::string passwd = folder.write("passwd", "root:x:0:0::/:/bin/sh\n");
  const std::string getent = folder.write("getent", "#!/bin/sh\necho \"$3:*:61234:61234::/:/bin/sh\"\n");
  ASSERT_EQ(::chmod(getent.c_str(), 0700), 0);
  EXPECT_EQ(find_user("dynamic", {.passwd = passwd, .getent = getent}).value(), 61234U);
}

TEST(FindUser, NamesWhoIsMissing) {
  const TestFolder folder;
  const std::string passwd = folder.write("passwd", "root:x:0:0::/:/bin/sh\n");
  EXPECT_THAT(find_user("nobody-here", {.passwd = passwd, .getent = ""}),
              FailsWith(Errc::not_found, HasSubstr("no user 'nobody-here'")));
}

}  // namespace
}  // namespace vmcred::activate
