#include "supervise/accel.h"

#include "matchers.h"

namespace vmcred::supervise {
namespace {

using declare::Accel;
using testing::TestFolder;

TEST(ChooseAccel, TakesKvmOnlyWhereTheProcessorHasIt) {
  const TestFolder folder;
  const std::string kvm = folder.write("kvm", "");
  const std::string with = folder.write("with", "processor : 0\nflags\t\t: fpu vme svm sse\n");
  const std::string at_end = folder.write("end", "flags\t\t: fpu vmx");
  const std::string without = folder.write("without", "flags\t\t: fpu svm_lock vmxnet\nbugs\t: svm \n");
  EXPECT_EQ(choose_accel(Accel::automatic, {.kvm = kvm, .cpuinfo = with}).value(), Accel::kvm);
  EXPECT_EQ(choose_accel(Accel::automatic, {.kvm = kvm, .cpuinfo = at_end}).value(), Accel::kvm);
  EXPECT_EQ(choose_accel(Accel::automatic, {.kvm = kvm, .cpuinfo = without}).value(), Accel::tcg);
  EXPECT_EQ(choose_accel(Accel::automatic, {.kvm = folder / "none", .cpuinfo = with}).value(), Accel::tcg);
}

TEST(ChooseAccel, AnUnreadableCpuinfoIsAnErrorNotASlowGuest) {
  const TestFolder folder;
  EXPECT_THAT(choose_accel(Accel::automatic, {.kvm = folder.write("kvm", ""), .cpuinfo = folder / "none"}),
              testing::FailsWith(Errc::not_found, testing::HasSubstr("choose the acceleration")));
}

TEST(ChooseAccel, DoesWhatItIsTold) {
  EXPECT_EQ(choose_accel(Accel::kvm, {.kvm = "/nowhere", .cpuinfo = "/nowhere"}).value(), Accel::kvm);
}

}  // namespace
}  // namespace vmcred::supervise
