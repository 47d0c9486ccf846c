#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/open_steps.h"
#include "matchers.h"

namespace vmcred {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

TEST(ReadFile, NamesAMissingFileAndTheCause) {
  EXPECT_THAT(read_file("/nowhere/x", 10), FailsWith(Errc::not_found, "open '/nowhere/x': No such file or directory"));
}

TEST(ReadFile, RefusesFoldersAndFilesOverTheLimit) {
  const TestFolder folder;
  EXPECT_THAT(read_file(folder.path(), 10), FailsWith(Errc::invalid_data, HasSubstr("is a folder")));
  const std::string path = folder.write("x", "12345");
  EXPECT_EQ(read_file(path, 5).value(), "12345");
  EXPECT_THAT(read_file(path, 4), FailsWith(Errc::invalid_data, HasSubstr("larger than 4 bytes")));
  EXPECT_THAT(read_secret(path, 4), FailsWith(Errc::invalid_data, HasSubstr("larger than 4 bytes")));
  EXPECT_EQ(read_secret(path, 5).value().text(), "12345");
}

TEST(ReadSecret, ReadsAPipeOfAnyLength) {
  auto pipe = make_pipe().value();
  const std::string text(20000, 'x');
  ASSERT_THAT(write_all(pipe.second, text), Succeeds());
  pipe.second = Fd();
  EXPECT_EQ(read_secret(pipe.first, "pipe", 1 << 20).value().text(), text);
}

TEST(WriteFile, ReplacesInOneStepWithTheExactMode) {
  const TestFolder folder;
  ::umask(077);
  const std::string path = folder.write("x", "old");
  ASSERT_THAT(write_file(path, "new", 0644), Succeeds());
  EXPECT_EQ(read_file(path, 10).value(), "new");
  struct stat status = {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0644U);
  EXPECT_EQ(list_folder(folder.path()).value(), std::vector<std::string>{"x"});
}

TEST(RemoveTree, RemovesALinkButNotWhatItPointsTo) {
  const TestFolder folder;
  const std::string kept = folder.write("kept/file", "x");
  folder.write("tree/deep/er/file", "x");
  ASSERT_EQ(::symlink((folder / "kept").c_str(), (folder / "tree/link").c_str()), 0);
  ASSERT_THAT(remove_tree(folder / "tree"), Succeeds());
  EXPECT_FALSE(exists(folder / "tree"));
  EXPECT_TRUE(exists(kept));
  EXPECT_THAT(remove_tree(folder / "tree"), Succeeds());
}

TEST(OpenBeneath, RefusesToLeaveTheFolder) {
  const TestFolder folder;
  folder.write("in/file", "x");
  ASSERT_EQ(::symlink("/etc/passwd", (folder / "in/link").c_str()), 0);
  const Fd in = open_folder(folder / "in").value();
  EXPECT_THAT(open_beneath(in, "file", O_RDONLY), Succeeds());
  EXPECT_FALSE(open_beneath(in, "link", O_RDONLY));
  EXPECT_FALSE(open_beneath(in, "../in/file", O_RDONLY));
  EXPECT_FALSE(open_beneath(in, "/etc/passwd", O_RDONLY));
}

TEST(OpenBeneathInSteps, AgreesWithTheKernel) {
  const TestFolder folder;
  folder.write("in/deep/file", "x");
  folder.write("outside", "x");
  ASSERT_EQ(::symlink("deep", (folder / "in/linked-folder").c_str()), 0);
  ASSERT_EQ(::symlink("file", (folder / "in/deep/linked-file").c_str()), 0);
  ASSERT_EQ(::symlink("../outside", (folder / "in/out").c_str()), 0);
  const auto in = open_folder(folder / "in");
  ASSERT_THAT(in, Succeeds());
  for (const char* path :
       {"deep/file", "deep//file", "deep", "deep/", "missing", "deep/missing", "linked-folder/file", "deep/linked-file",
        "out", "../outside", "deep/../../outside", "/etc/passwd", "", "deep/file/x"}) {
    for (const int flags : {O_RDONLY, O_PATH}) {
      const auto kernel = open_beneath(*in, path, flags);
      const auto ours = open_beneath_in_steps(*in, path, flags);
      EXPECT_EQ(kernel.has_value(), ours.has_value()) << path;
      if (!kernel && !ours) {
        EXPECT_EQ(kernel.error().code, ours.error().code) << path;
        EXPECT_EQ(kernel.error().message, ours.error().message);
      }
    }
  }
}

TEST(LockFile, SaysWhoWaitsWhenItMustNotWait) {
  const TestFolder folder;
  const auto held = lock_file(folder / "lock", Wait::no);
  ASSERT_THAT(held, Succeeds());
  EXPECT_THAT(lock_file(folder / "lock", Wait::no),
              FailsWith(Errc::unavailable, HasSubstr("locked by another command")));
}

TEST(JoinPath, LetsAnAbsoluteRightSideWin) {
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("a", "/b"), "/b");
  EXPECT_EQ(join_path("", "b"), "b");
}

}  // namespace
}  // namespace vmcred
