#include "store/signing_files.h"

#include <unistd.h>

#include "base/file.h"
#include "matchers.h"

namespace vmcred::store {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

TEST(SigningFiles, ThatOthersMayTouchAreRefused) {
  const TestFolder folder;
  const Environment environment = {{"XDG_CONFIG_HOME", folder.path()}};
  EXPECT_FALSE(own_trusted_signers(environment)->has_value());
  ASSERT_THAT(make_folders(folder / "vmcred"), Succeeds());
  ASSERT_THAT(write_file(folder / "vmcred/trusted-signers", "", 0664), Succeeds());
  EXPECT_THAT(own_trusted_signers(environment), FailsWith(Errc::denied, HasSubstr("written by others")));
  ASSERT_THAT(write_file(folder / "vmcred/signing-key", "", 0640), Succeeds());
  EXPECT_THAT(own_signing_key(environment), FailsWith(Errc::denied, HasSubstr("read by others")));
}

TEST(SigningFiles, ALinkThatLeadsNowhereIsNoWayToDemandNothing) {
  const TestFolder folder;
  ASSERT_THAT(make_folders(folder / "vmcred"), Succeeds());
  ASSERT_EQ(::symlink("/nix/store/gone", (folder / "vmcred/trusted-signers").c_str()), 0);
  EXPECT_THAT(own_trusted_signers({{"XDG_CONFIG_HOME", folder.path()}}),
              FailsWith(Errc::invalid_data, HasSubstr("leads nowhere")));
}

TEST(SigningFiles, TheListOfUnsignedProjectsKeepsItsOtherLines) {
  const TestFolder folder;
  const Environment environment = {{"XDG_CONFIG_HOME", folder.path()}};
  EXPECT_TRUE(unsigned_projects(environment)->empty());
  EXPECT_FALSE(*forget_unsigned_project(environment, "/a"));
  folder.write("vmcred/unsigned-projects", "# clan's\n/a\n\n/with blank/\n");
  EXPECT_EQ(*unsigned_projects(environment), (std::set<std::string>{"/a", "/with blank"}));
  EXPECT_FALSE(*forget_unsigned_project(environment, "/b"));
  EXPECT_TRUE(*forget_unsigned_project(environment, "/with blank"));
  EXPECT_EQ(*read_file(folder / "vmcred/unsigned-projects", 100), "# clan's\n/a\n\n");
  folder.write("vmcred/unsigned-projects", "clan\n");
  EXPECT_THAT(unsigned_projects(environment), FailsWith(Errc::invalid_data, HasSubstr("'clan' is no absolute path")));
}

}  // namespace
}  // namespace vmcred::store
