#include "store/publish.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>

#include "matchers.h"
#include "store/signatures.h"

namespace vmcred::store {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

constexpr const char* kFolder = "vars/shared/g";

enum class Signed : std::uint8_t { no, yes };

/// On a file system in memory: these tests write a lot and flush it.
struct Project {
  explicit Project(Signed how = Signed::no) {
    if (how == Signed::no) return;
    Secret seed(32);  // the same each time, so that trees can be compared
    const Ed25519Point point = ed25519_public(seed.bytes());
    age::SshPrivateKey key{.public_key = age::ssh_public_key(point), .key = std::move(seed)};
    auto trusted = age::TrustedSigners::parse("me " + key.public_key.line());
    repository.demand(std::make_shared<Signatures>(*std::move(trusted), std::move(key)));
  }
  TemporaryFolder folder = TemporaryFolder::make("/dev/shm").value();
  Repository repository = Repository::open(folder.path()).value();
  [[nodiscard]] std::string path(const std::string& name) const { return folder.path() + "/" + name; }
  Result<> change(const Change& what) const {
    TRY_LET(const Lock lock, Lock::take(repository, Wait::yes));
    return publish(repository, lock, kFolder, what);
  }
};

/// Every file and link below a folder with its content.
void collect(const std::string& top, const std::string& path, std::map<std::string, std::string>& tree) {
  const std::vector<std::string> names = list_folder(top + path).value();
  for (const std::string& name : names) {
    const std::string inner = path + "/" + name;
    struct stat status = {};
    ASSERT_EQ(::lstat((top + inner).c_str(), &status), 0);
    if (S_ISDIR(status.st_mode)) {
      collect(top, inner, tree);
    } else if (S_ISLNK(status.st_mode)) {
      char target[256] = {};
      ASSERT_GE(::readlink((top + inner).c_str(), target, sizeof target - 1), 0);
      tree[inner] = std::string("-> ") + target;
    } else {
      tree[inner] = read_file(top + inner, 1000).value();
    }
  }
}
std::map<std::string, std::string> tree_of(const Project& project) {
  std::map<std::string, std::string> tree;
  collect(project.folder.path(), "", tree);
  tree.erase("/.vmcred.lock");  // of somebody who was killed
  return tree;
}

Change first() {
  return {.files = {{"a/secret", "old a"}, {"b/secret", "old b"}, {".vmcred.json", "old"}},
          .links = {{"a/users/alice", "../../../../../sops/users/alice"}}};
}
Change second() {
  return {.files = {{"a/secret", "new a"}, {"c/value", "new c"}, {".vmcred.json", "new"}},
          .links = {{"a/users/bob", "../../../../../sops/users/bob"}},
          .remove = {"a/users"}};
}

TEST(Publish, MakesAFolderAndChangesIt) {
  const Project project;
  ASSERT_THAT(project.change(first()), Succeeds());
  ASSERT_THAT(project.change(second()), Succeeds());
  EXPECT_EQ(tree_of(project), (std::map<std::string, std::string>{
                                  {"/vars/shared/g/.vmcred.json", "new"},
                                  {"/vars/shared/g/a/secret", "new a"},
                                  {"/vars/shared/g/a/users/bob", "-> ../../../../../sops/users/bob"},
                                  {"/vars/shared/g/b/secret", "old b"},
                                  {"/vars/shared/g/c/value", "new c"},
                              }));
}

TEST(Publish, LeavesUntouchedFilesTheVeryOnesTheyWere) {
  const Project project;
  ASSERT_THAT(project.change(first()), Succeeds());
  struct stat before = {};
  ASSERT_EQ(::stat(project.path("vars/shared/g/b/secret").c_str(), &before), 0);
  ASSERT_THAT(project.change(second()), Succeeds());
  struct stat after = {};
  ASSERT_EQ(::stat(project.path("vars/shared/g/b/secret").c_str(), &after), 0);
  EXPECT_EQ(before.st_ino, after.st_ino);
  EXPECT_EQ(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
}

TEST(Publish, RemovesAFolderThatBecomesEmpty) {
  const Project project;
  ASSERT_THAT(project.change(first()), Succeeds());
  ASSERT_THAT(project.change({.remove = {"a", "b", ".vmcred.json"}}), Succeeds());
  EXPECT_TRUE(tree_of(project).empty());
  EXPECT_FALSE(exists(project.path(kFolder)));
}

TEST(Publish, DoesNotWriteThroughALink) {
  const Project project;
  const TemporaryFolder elsewhere = TemporaryFolder::make("/dev/shm").value();
  ASSERT_THAT(make_folders(project.path("vars")), Succeeds());
  ASSERT_EQ(::symlink(elsewhere.path().c_str(), project.path("vars/shared").c_str()), 0);
  EXPECT_THAT(project.change(first()), FailsWith(Errc::invalid_data, HasSubstr("no folder")));
  EXPECT_TRUE(list_folder(elsewhere.path())->empty());
}

TEST(Publish, ReplacesALinkInsideTheFolderInsteadOfFollowingIt) {
  const Project project;
  const TemporaryFolder elsewhere = TemporaryFolder::make("/dev/shm").value();
  ASSERT_THAT(make_folders(project.path(kFolder)), Succeeds());
  ASSERT_EQ(::symlink(elsewhere.path().c_str(), project.path("vars/shared/g/a").c_str()), 0);
  EXPECT_THAT(project.change(first()), FailsWith(Errc::invalid_data, HasSubstr("no folder")));
  EXPECT_TRUE(list_folder(elsewhere.path())->empty());
}

TEST(Lock, LeavesNoFileBehindOutsideOfGit) {
  const Project project;
  const std::string path = lock_path(project.folder.path());
  {
    const Result<Lock> held = Lock::take(project.repository, Wait::no);
    ASSERT_THAT(held, Succeeds());
    EXPECT_TRUE(exists(path));
  }
  EXPECT_FALSE(exists(path));
}

TEST(Lock, IsHeldAgainstASecondTaker) {
  const Project project;
  const Result<Lock> held = Lock::take(project.repository, Wait::no);
  ASSERT_THAT(held, Succeeds());
  EXPECT_THAT(Lock::take(project.repository, Wait::no), FailsWith(Errc::unavailable, HasSubstr("")));
}

/// Runs `change` in a child and kills it at the entry of its `number`th system call, before that happens. True when it
/// ended before.
bool run_until_call(const Project& project, const Change& change, int number) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::_exit(project.change(change) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
  // Each call stops twice, at its entry and its exit. After an exit nothing happens until the next entry.
  for (int stop = 0; stop < 2 * number - 1; ++stop) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
    if (WIFEXITED(status)) {
      EXPECT_EQ(WEXITSTATUS(status), 0);
      return true;
    }
  }
  ::kill(child, SIGKILL);
  ::waitpid(child, &status, 0);
  return false;
}

/// The promise: killed at any point, a change has happened or has not, and the next command cleans up.
void expect_all_or_nothing(const Change& before, const Change& what, Signed how = Signed::no) {
  std::map<std::string, std::string> old_tree;
  std::map<std::string, std::string> new_tree;
  {
    const Project project(how);
    ASSERT_THAT(project.change(before), Succeeds());
    old_tree = tree_of(project);
    ASSERT_THAT(project.change(what), Succeeds());
    new_tree = tree_of(project);
  }
  bool ended = false;
  int old_seen = 0;
  int new_seen = 0;
  for (int number = 1; !ended && number < 5000; ++number) {
    const Project project(how);
    ASSERT_THAT(project.change(before), Succeeds());
    ended = run_until_call(project, what, number);
    std::map<std::string, std::string> values = tree_of(project);
    std::erase_if(values, [](const auto& item) { return item.first.starts_with("/vars/.vmcred-staging/"); });
    ASSERT_TRUE(values == old_tree || values == new_tree) << "killed at call " << number;
    (values == old_tree ? old_seen : new_seen) += 1;
    ASSERT_THAT(project.change(what), Succeeds()) << "after a kill at call " << number;
    ASSERT_EQ(tree_of(project), new_tree);
  }
  EXPECT_TRUE(ended);
  EXPECT_GT(old_seen, 10);
  EXPECT_GT(new_seen, 1);
}

TEST(PublishPromise, AKilledChangeOfAFolderHappensWholeOrNotAtAll) { expect_all_or_nothing(first(), second()); }
TEST(PublishPromise, AKilledFirstMakingHappensWholeOrNotAtAll) { expect_all_or_nothing({}, first()); }
TEST(PublishPromise, AKilledChangeIsSignedAsItWasOrAsItBecomes) {
  expect_all_or_nothing(first(), second(), Signed::yes);
}
TEST(PublishPromise, AKilledRemovalHappensWholeOrNotAtAll) {
  expect_all_or_nothing(first(), {.remove = {"a", "b", ".vmcred.json"}});
}

}  // namespace
}  // namespace vmcred::store
