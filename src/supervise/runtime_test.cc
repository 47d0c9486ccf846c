#include "supervise/runtime.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "matchers.h"

namespace vmcred::supervise {
namespace {

using testing::Succeeds;
using testing::TestFolder;

unsigned mode_of(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 07777U : 0;
}

class Umask {
 public:
  explicit Umask(mode_t mask) : before_(::umask(mask)) {}
  ~Umask() { ::umask(before_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t before_;
};

TEST(RuntimeFolder, LetsOtherVmsUsersThroughItsParentsWhateverTheUmaskIs) {
  const TestFolder folder;
  const std::string system = folder / "run/vmcred/vm";
  for (const mode_t mask : {mode_t{077}, mode_t{0}, mode_t{0777}}) {
    const Umask umask(mask);
    const RuntimePlaces places = {.root = true, .system = system};
    const auto held = RuntimeFolder::hold(runtime_path(places, "test-vm").value(), "test-vm");
    ASSERT_THAT(held, Succeeds());
    EXPECT_EQ(mode_of(folder / "run/vmcred"), 0755U);
    EXPECT_EQ(mode_of(system), 0755U);
    EXPECT_EQ(mode_of(system + "/test-vm"), 0700U);
    ASSERT_EQ(
        ::rmdir((system + "/test-vm").c_str()) + ::rmdir(system.c_str()) + ::rmdir((folder / "run/vmcred").c_str()), 0);
  }
}

}  // namespace
}  // namespace vmcred::supervise
