// Which limit on a script's memory doctor says that holds.
#include <gmock/gmock.h>

#include "chain/doctor/doctor.h"
#include "matchers.h"

namespace vmcred::chain::doctor {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using vmcred::testing::TestFolder;

std::string told(const TestFolder& root, const std::string& socket = "/run/systemd/private") {
  const auto findings = examine_scripts({.root = root.path(), .run = {}}, socket);
  return findings.empty() ? std::string() : code_name(findings[0].code) + " " + findings[0].message;
}

TEST(Scripts, AreLimitedByTheKernelOnlyWithTheUnifiedTreeMemoryAndAManager) {
  const TestFolder root;
  EXPECT_THAT(told(root),
              HasSubstr("VC094 a script's memory is limited by process, not as a whole: this machine has no unified"));
  root.write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu pids\n");
  EXPECT_THAT(told(root), HasSubstr("no memory controller"));
  root.write("sys/fs/cgroup/cgroup.controllers", "cpu memory pids\n");
  EXPECT_THAT(told(root), HasSubstr("no systemd manager"));
  root.write("run/systemd/private", "");
  EXPECT_THAT(told(root), IsEmpty());
  EXPECT_THAT(told(root, ""), HasSubstr("no systemd manager"));
}

}  // namespace
}  // namespace vmcred::chain::doctor
