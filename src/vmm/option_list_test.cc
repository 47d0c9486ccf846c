#include "vmm/option_list.h"

#include "matchers.h"

namespace vmcred::vmm {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using Words = std::vector<std::string>;

constexpr ListedOption kListed[] = {{"--mem"}, {"-m"}, {"--quiet", Takes::nothing}};
constexpr RefusedOption kRefused[] = {{"--gdb", "a debugger reads the guest's memory", "remove it"}};

Result<std::vector<UsedOption>> read(const Words& words, const Words& allowed = {}) {
  return read_listed(words, kListed, kRefused, AllowedOptions(allowed), Origin::command_line);
}

TEST(OptionList, TakesWordsApartInEveryForm) {
  const auto used = read({"--mem", "--gdb", "--mem=1", "-m", "2", "--quiet", "kernel"});
  ASSERT_THAT(used, Succeeds());
  ASSERT_EQ(used->size(), 5U);
  EXPECT_EQ(used->at(0).value, "--gdb");
  EXPECT_EQ(used->at(1).value, "1");
  EXPECT_EQ(used->at(2).value, "2");
  EXPECT_EQ(used->at(4).value, "kernel");
}

TEST(OptionList, RefusesWhatIsRefusedOrUnknownAndTakesExceptions) {
  EXPECT_THAT(read({"--quiet", "--gdb", "1"}),
              FailsWith(Errc::usage, HasSubstr("'--gdb' on the command line cannot be kept: a debugger")));
  EXPECT_THAT(read({"--gdb=1"}, {"gdb="}), FailsWith(Errc::usage, HasSubstr("a debugger")));
  EXPECT_THAT(read({"--other"}), FailsWith(Errc::usage, HasSubstr("'--other'")));
  EXPECT_THAT(read({"--other"}, {"other"}), Succeeds());
  EXPECT_THAT(read({"--other", "--gdb"}, {"other"}), FailsWith(Errc::usage, HasSubstr("'--gdb'")));
  EXPECT_THAT(read({"--other", "--gdb"}, {"other="}), Succeeds());
  EXPECT_THAT(read({"--mem"}), FailsWith(Errc::usage, HasSubstr("its value is missing")));
}

}  // namespace
}  // namespace vmcred::vmm
