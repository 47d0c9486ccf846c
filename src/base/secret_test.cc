#include "base/secret.h"

#include <sys/wait.h>
#include <unistd.h>

#include <sstream>

#include "matchers.h"

namespace vmcred {
namespace {

TEST(Secret, MovesWithoutACopy) {
  Secret a = Secret::copy_of("hunter2");
  const auto* const where = a.bytes().data();
  const Secret b = std::move(a);
  EXPECT_EQ(b.bytes().data(), where);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move)
}

TEST(Secret, IsWipedWhenItEnds) {
  const std::uint8_t* where = nullptr;
  {
    const Secret a = Secret::copy_of("hunter2 hunter2");
    where = a.bytes().data();
  }
  const Secret again(15);  // the same slot comes back
  ASSERT_EQ(again.bytes().data(), where);
  EXPECT_EQ(again.text(), std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15));
}

TEST(Secret, WipesWhatShrinkingCutsOff) {
  Secret a = Secret::copy_of("hunter2");
  const auto* const where = a.bytes().data();
  a.shrink_to(3);
  EXPECT_EQ(a.text(), "hun");
  EXPECT_EQ(where[6], 0);
}

TEST(Secret, IsNotPrintedByGtest) {
  std::ostringstream out;
  PrintTo(Secret::copy_of("hunter2"), &out);
  EXPECT_EQ(out.str(), "Secret(7 bytes)");
}

TEST(Secret, IsEmptyInAForkedChild) {
  const Secret a = Secret::copy_of("hunter2");
  const pid_t child = ::fork();
  if (child == 0) ::_exit(a.bytes()[0] == 0 ? 0 : 1);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

TEST(Secret, HoldsLargeValues) {
  Secret a(3 * 1024 * 1024);
  a.writable()[3 * 1024 * 1024 - 1] = 7;
  EXPECT_EQ(a.clone().bytes().back(), 7);
}

TEST(EqualInConstantTime, Compares) {
  EXPECT_TRUE(equal_in_constant_time(bytes_of("abc"), bytes_of("abc")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("abd")));
  EXPECT_FALSE(equal_in_constant_time(bytes_of("abc"), bytes_of("ab")));
}

}  // namespace
}  // namespace vmcred
