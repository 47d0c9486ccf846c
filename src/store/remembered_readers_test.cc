#include "store/remembered_readers.h"

#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <functional>
#include <thread>

#include "base/file.h"
#include "matchers.h"
#include "store/vault.h"

namespace vmcred::store {
namespace {

using ::testing::ElementsAre;
using testing::HasSubstr;
using ::testing::NotNull;
using testing::Succeeds;
using testing::TestFolder;

/// What a file was just given counts as settled when this is the time.
SystemTime later() { return real_clock().now() + std::chrono::hours(1); }

/// Waits until the clock of file times has gone on: what changes now has another time than what changed before.
void await_tick() {
  const auto coarse = [] {
    timespec now = {};
    ::clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return std::pair(now.tv_sec, now.tv_nsec);
  };
  for (const auto before = coarse(); coarse() == before;) std::this_thread::yield();
}

/// One secret of one generator, with a link to a user.
class Remembered : public ::testing::Test {
 protected:
  void SetUp() override {
    place("alice");
    project_.write("vars/shared/g/f/secret", "ciphertext");
    make_folders(project_ / "vars/shared/g/f/users").value();
    ASSERT_EQ(::symlink("../../../../../sops/users/alice", (project_ / "vars/shared/g/f/users/alice").c_str()), 0);
  }
  void place(const std::string& user) const {
    project_.write("sops/users/" + user + "/key.json", R"([{"publickey":"age1)" + user + R"(","type":"age"}])");
  }
  [[nodiscard]] RememberedReaders open(SystemTime now = later()) const {
    return RememberedReaders::open(cache_.path(), repository_.root(), now);
  }
  [[nodiscard]] GeneratorFolder generator() const {
    return GeneratorFolder::open(repository_, {.placement = {}, .generator = "g"}).value();
  }
  [[nodiscard]] std::string stamp(const RememberedReaders& memory) const {
    const GeneratorFolder folder = generator();
    (void)folder.look("f");
    return memory.stamp(folder, "f");
  }
  /// Notes alice as the reader and saves that.
  void remember(const std::string& folder = "vars/shared/g/f") const {
    RememberedReaders memory = open();
    memory.note(folder, stamp(memory), alice_);
    ASSERT_THAT(memory.save(false), Succeeds());
  }
  [[nodiscard]] std::string file() const { return cache_ / list_folder(cache_.path()).value().at(0); }

  TestFolder project_;
  TestFolder cache_;
  Repository repository_ = Repository::open(project_.path()).value();
  SecretReaders alice_ = {.recipients = {{"age", "age1alice"}}, .links = {.users = {"alice"}}};
};

TEST_F(Remembered, IsFoundInTheNextRunByAnUnchangedFolder) {
  remember();
  RememberedReaders memory = open();
  const SecretReaders* const found = memory.find("vars/shared/g/f", stamp(memory));
  ASSERT_THAT(found, NotNull());
  EXPECT_EQ(*found, alice_);
  EXPECT_EQ(memory.find("vars/shared/g/other", stamp(memory)), nullptr);
}

TEST_F(Remembered, IsNothingOnceAnythingInTheFolderChanged) {
  const std::string folder = project_ / "vars/shared/g/f";
  const std::vector<std::function<void()>> changes = {
      [&] { project_.write("vars/shared/g/f/secret", "sametlength"); },
      [&] { ASSERT_EQ(::symlink("../../../../../sops/users/bob", (folder + "/users/bob").c_str()), 0); },
      [&] { ASSERT_EQ(::unlink((folder + "/users/bob").c_str()), 0); },
      [&] { make_folders(folder + "/machines").value(); },
      [&] { make_folders(folder + "/groups").value(); },
      [&] { ASSERT_EQ(::rename((folder + "/groups").c_str(), (folder + "/machines").c_str()), 0); },
  };
  for (const auto& change : changes) {
    remember();
    await_tick();
    change();
    RememberedReaders memory = open();
    EXPECT_EQ(memory.find("vars/shared/g/f", stamp(memory)), nullptr);
  }
}

TEST_F(Remembered, IsNotWhatMayChangeAgainUnseen) {
  EXPECT_EQ(stamp(open(real_clock().now())), "");
  EXPECT_NE(stamp(open()), "");
}

TEST_F(Remembered, IsNotWhatIsNoPlainFolderOfLinks) {
  project_.write("vars/shared/g/f/machines", "a file");
  EXPECT_EQ(stamp(open()), "");
}

TEST_F(Remembered, IsNothingInAFileOfOthersOrADamagedOne) {
  remember();
  const std::string good = read_file(file(), 4096).value();
  ASSERT_THAT(good, HasSubstr("vars/shared/g/f"));
  for (const std::string& bad :
       {std::string("vmcred readers 2\n"), good.substr(0, good.size() - 1), "x" + good,
        std::string("vmcred readers 1\n0\tstamp\tfolder\n"), std::string("vmcred readers 1\n=\tztext\n"),
        std::string("vmcred readers 1\n=\taage1\n1\tstamp\tfolder\n"),
        std::string("vmcred readers 1\n=\ta\n0\t\tfolder\n")}) {
    ASSERT_THAT(write_file(file(), bad, 0600), Succeeds());
    RememberedReaders memory = open();
    EXPECT_EQ(memory.find("vars/shared/g/f", stamp(memory)), nullptr) << bad;
  }
  for (const mode_t mode : {0620, 0602}) {
    ASSERT_THAT(write_file(file(), good, mode), Succeeds());
    RememberedReaders memory = open();
    EXPECT_EQ(memory.find("vars/shared/g/f", stamp(memory)), nullptr) << mode;
  }
}

TEST_F(Remembered, IsNothingWhereNobodyKeepsChangeTimes) {
  // A file system that is computed, as an image's and a network's is: its times are whatever its maker says.
  const Fd root = open_folder("/proc").value();
  RememberedReaders memory = RememberedReaders::open(cache_.path(), root, later());
  memory.note("vars/shared/g/f", "stamp", alice_);
  ASSERT_THAT(memory.save(false), Succeeds());
  EXPECT_THAT(list_folder(cache_.path()).value(), ::testing::IsEmpty());
}

TEST_F(Remembered, LeavesFoldersOfOthersAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can give a folder to somebody";
  const std::string home = cache_ / "home";
  for (const char* const folder : {"", "/readers"}) {
    ASSERT_THAT(make_folders(home + folder), Succeeds());
    ASSERT_EQ(::chown(home.c_str(), 12345, 12345), 0);
    RememberedReaders memory = RememberedReaders::open(home + "/readers", repository_.root(), later());
    memory.note("vars/shared/g/f", stamp(open()), alice_);
    ASSERT_THAT(memory.save(false), Succeeds());
    EXPECT_THAT(list_folder(home + folder).value(), ::testing::IsEmpty());
  }
  // Nor is somebody's link followed to where only we may write.
  ASSERT_THAT(remove_tree(home + "/readers"), Succeeds());
  ASSERT_EQ(::symlink(cache_.path().c_str(), (home + "/readers").c_str()), 0);
  ASSERT_EQ(::lchown((home + "/readers").c_str(), 12345, 12345), 0);
  ASSERT_EQ(::chown(home.c_str(), 0, 0), 0);
  RememberedReaders memory = RememberedReaders::open(home + "/readers", repository_.root(), later());
  memory.note("vars/shared/g/f", stamp(open()), alice_);
  ASSERT_THAT(memory.save(false), Succeeds());
  EXPECT_THAT(list_folder(cache_.path()).value(), ElementsAre("home"));
}

TEST_F(Remembered, ForgetsWhatAWholeRunDidNotMeet) {
  remember("vars/shared/g/gone");
  remember();
  const auto lines = [&] { return std::ranges::count(read_file(file(), 4096).value(), '\n'); };
  EXPECT_EQ(lines(), 4);  // the first one, what they have in common, both folders
  RememberedReaders memory = open();
  ASSERT_THAT(memory.find("vars/shared/g/f", stamp(memory)), NotNull());
  ASSERT_THAT(memory.save(true), Succeeds());
  EXPECT_EQ(lines(), 4);  // nothing new: not worth a file
  memory.note("vars/shared/g/new", stamp(memory), alice_);
  ASSERT_THAT(memory.save(true), Succeeds());
  EXPECT_EQ(lines(), 4);
  EXPECT_THAT(read_file(file(), 4096).value(), ::testing::Not(HasSubstr("gone")));
}

TEST_F(Remembered, IsNothingWhereThereIsNoCache) {
  RememberedReaders memory = RememberedReaders::open("", repository_.root(), later());
  memory.note("vars/shared/g/f", "1.2.", alice_);
  ASSERT_THAT(memory.save(true), Succeeds());
  EXPECT_EQ(stamp(memory), "");
}

TEST_F(Remembered, IsNotWhatNoLineHolds) {
  RememberedReaders memory = open();
  memory.note("vars/shared/g/f", stamp(memory), {.recipients = {}, .links = {.users = {"a\tb"}}});
  memory.note("vars/shared/g/f\nx", stamp(memory), alice_);
  ASSERT_THAT(memory.save(false), Succeeds());
  EXPECT_EQ(read_file(file(), 4096).value(), "vmcred readers 1\n");
}

TEST_F(Remembered, LinksCountOnlyWhileTheirPrincipalsAreThere) {
  remember();
  RememberedReaders memory = open();
  const GeneratorFolder folder = generator();
  const auto drifted = [&] {
    Principals principals(repository_);
    (void)folder.look("f");
    return drift(principals, folder, "f", &memory);
  };
  const auto before = drifted();
  ASSERT_THAT(before, Succeeds());
  EXPECT_TRUE(before->none());
  // Another key for the same name: what is remembered of the secret is still true, and says that it must be encrypted
  // anew.
  project_.write("sops/users/alice/key.json", R"([{"publickey":"age1new","type":"age"}])");
  const auto rekeyed = drifted();
  ASSERT_THAT(rekeyed, Succeeds());
  EXPECT_THAT(rekeyed->added, ElementsAre(PublicKey{"age", "age1new"}));
  EXPECT_THAT(rekeyed->removed, ElementsAre(PublicKey{"age", "age1alice"}));
  // Nobody of that name: the secret itself is read then, and this one cannot be.
  ASSERT_THAT(remove_tree(project_ / "sops/users/alice"), Succeeds());
  EXPECT_THAT(drifted(), testing::FailsWith(Errc::invalid_data, HasSubstr("vars/shared/g/f/secret")));
}

}  // namespace
}  // namespace vmcred::store
