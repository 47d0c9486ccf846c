#include "base/guarded_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "matchers.h"

namespace vmcred {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

/// Its text, "absent", or the error.
Result<std::string> read(const std::string& path, Others others = Others::may_read) {
  TRY_LET(const std::optional<Fd> fd, open_guarded(path, others));
  return fd ? read_all(*fd, path, 100) : Result<std::string>("absent");
}

TEST(GuardedFile, IsReadWhereOnlyWeAndRootWriteAndAbsentMeansAbsent) {
  const TestFolder folder;
  EXPECT_EQ(*read(folder.write("a/file", "text")), "text");
  EXPECT_EQ(*read(folder / "a/none"), "absent");
  EXPECT_EQ(*read(folder / "none/none"), "absent");
}

TEST(GuardedFile, AnythingInItsPlaceThatIsNoPlainFileIsAnError) {
  const TestFolder folder;
  folder.write("folder/inner", "");
  EXPECT_THAT(read(folder / "folder"), FailsWith(Errc::invalid_data, HasSubstr("is a folder")));
  EXPECT_THAT(read(folder / "folder/inner/file"), FailsWith(Errc::invalid_data, HasSubstr("is no folder")));
  ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(read(folder / "fifo"), FailsWith(Errc::invalid_data, HasSubstr("is no plain file")));
  EXPECT_THAT(read("relative"), FailsWith(Errc::usage, HasSubstr("no absolute path")));
}

TEST(GuardedFile, ALinkThatLeadsNowhereIsNotAbsent) {
  const TestFolder folder;
  folder.write("a/file", "text");
  ASSERT_EQ(::symlink("nowhere", (folder / "dangling").c_str()), 0);
  EXPECT_THAT(read(folder / "dangling"), FailsWith(Errc::invalid_data, HasSubstr("dangling' leads nowhere")));
  // Also half-way, and as the second of two.
  EXPECT_THAT(read(folder / "dangling/file"), FailsWith(Errc::invalid_data, HasSubstr("leads nowhere")));
  ASSERT_EQ(::symlink("dangling", (folder / "second").c_str()), 0);
  EXPECT_THAT(read(folder / "second"), FailsWith(Errc::invalid_data, HasSubstr("leads nowhere")));
  ASSERT_EQ(::symlink("circle", (folder / "circle").c_str()), 0);
  EXPECT_THAT(read(folder / "circle"), FailsWith(Errc::invalid_data, HasSubstr("more than 40 links")));
  // A folder of configuration may be a link; what is not in it is absent.
  ASSERT_EQ(::symlink("a", (folder / "config").c_str()), 0);
  EXPECT_EQ(*read(folder / "config/none"), "absent");
  EXPECT_EQ(*read(folder / "config/file"), "text");
}

TEST(GuardedFile, OthersMayWriteNeitherItNorAFolderOnTheWay) {
  const TestFolder folder;
  const std::string file = folder.write("a/b/file", "text");
  for (const std::string& path : {file, folder / "a/b", folder / "a"}) {
    for (const mode_t wrong : {0020, 0002}) {
      struct stat before = {};
      ASSERT_EQ(::stat(path.c_str(), &before), 0);
      ASSERT_EQ(::chmod(path.c_str(), (before.st_mode & 0777U) | wrong), 0);
      EXPECT_THAT(read(file), FailsWith(Errc::denied, HasSubstr("'" + path + "' may be written by others")));
      // Where there is no file nobody complains.
      EXPECT_EQ(*read(folder / "a/b/none"), "absent");
      ASSERT_EQ(::chmod(path.c_str(), before.st_mode & 0777U), 0);
    }
  }
  EXPECT_THAT(read(file, Others::may_nothing), FailsWith(Errc::denied, HasSubstr("may be read by others")));
  ASSERT_EQ(::chmod(file.c_str(), 0600), 0);
  EXPECT_EQ(*read(file, Others::may_nothing), "text");
}

TEST(GuardedFile, LinksAreFollowedUnderTheSameRule) {
  const TestFolder folder;
  folder.write("open/file", "text");
  ASSERT_EQ(::symlink((folder / "open/file").c_str(), (folder / "link").c_str()), 0);
  EXPECT_EQ(*read(folder / "link"), "text");
  ASSERT_EQ(::chmod((folder / "open").c_str(), 0777), 0);
  EXPECT_THAT(read(folder / "link"), FailsWith(Errc::denied, HasSubstr("open' may be written by others")));
}

TEST(GuardedFile, TheLinksOfNixOsAndHomeManagerWork) {
  const TestFolder folder;
  // /etc/vmcred -> /etc/static/vmcred, /etc/static -> a store of mode 1775, and from there to another path of it.
  folder.write("nix/store/signers", "text");
  ASSERT_THAT(make_folders(folder / "nix/store/etc/vmcred"), Succeeds());
  ASSERT_THAT(make_folders(folder / "etc"), Succeeds());
  ASSERT_EQ(::chmod((folder / "nix/store").c_str(), 01775), 0);
  ASSERT_EQ(
      ::symlink((folder / "nix/store/signers").c_str(), (folder / "nix/store/etc/vmcred/trusted-signers").c_str()), 0);
  ASSERT_EQ(::symlink((folder / "nix/store/etc").c_str(), (folder / "etc/static").c_str()), 0);
  ASSERT_EQ(::symlink("static/vmcred", (folder / "etc/vmcred").c_str()), 0);
  EXPECT_EQ(*read(folder / "etc/vmcred/trusted-signers"), "text");
  ASSERT_THAT(make_folders(folder / "home/.config/vmcred"), Succeeds());
  ASSERT_EQ(::symlink((folder / "nix/store/etc/vmcred/trusted-signers").c_str(),
                      (folder / "home/.config/vmcred/trusted-signers").c_str()),
            0);
  EXPECT_EQ(*read(folder / "home/.config/vmcred/trusted-signers"), "text");
  // Once the store has been cleared of it.
  ASSERT_EQ(::unlink((folder / "nix/store/signers").c_str()), 0);
  EXPECT_THAT(read(folder / "etc/vmcred/trusted-signers"), FailsWith(Errc::invalid_data, HasSubstr("leads nowhere")));
}

TEST(GuardedFile, WhatBelongsToAnotherUserIsRefused) {
  if (::geteuid() != 0) GTEST_SKIP() << "NOT RUN HERE: only root can give files away";
  constexpr uid_t kOther = 54321;
  const TestFolder folder;
  const std::string file = folder.write("a/file", "text");
  ASSERT_EQ(::symlink("a/file", (folder / "link").c_str()), 0);
  ASSERT_EQ(::lchown((folder / "link").c_str(), kOther, kOther), 0);
  EXPECT_EQ(*read(file), "text");
  EXPECT_THAT(read(folder / "link"), FailsWith(Errc::denied, HasSubstr("link' belongs to another user (uid 54321)")));
  for (const std::string& path : {folder / "a", file}) {
    ASSERT_EQ(::chown(path.c_str(), kOther, kOther), 0);
    EXPECT_THAT(read(file), FailsWith(Errc::denied, HasSubstr("belongs to another user")));
    ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
  }
}

}  // namespace
}  // namespace vmcred
