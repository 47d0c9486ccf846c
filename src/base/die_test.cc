#include "base/die.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <new>

#include "base/secret.h"

namespace vmcred {
namespace {

constexpr std::size_t kMoreThanThereIs = std::size_t{1} << 60;
constexpr const char* kWords = "^vmcred: error: out of memory\nvmcred: hint: ";

TEST(Die, SaysWhyOnStandardErrorAndExitsWithOne) {
  EXPECT_EXIT(die("no way on", "go back"), testing::ExitedWithCode(1),
              "^vmcred: error: no way on\nvmcred: hint: go back\n$");
}

TEST(Die, ASecretThatFindsNoneEndsTheProgramPlainly) {
  EXPECT_EXIT(const Secret large(kMoreThanThereIs), testing::ExitedWithCode(1), kWords);
}

// As `new` calls it: the sanitizers' own allocator ends the program before it asks.
TEST(Die, NewEndsTheProgramPlainly) {
  exit_when_memory_ends();
  EXPECT_EXIT(std::get_new_handler()(), testing::ExitedWithCode(1), kWords);
}

}  // namespace
}  // namespace vmcred
