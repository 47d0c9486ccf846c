// What the agent does with mounts, in a mount namespace of the test's own.
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <functional>
#include <thread>

#include "base/file.h"
#include "matchers.h"
#include "service_folder.h"
#include "set_store.h"

namespace vmcred::guest {
namespace {

using testing::secret;
using testing::Succeeds;
using testing::TestFolder;

/// Writes a file as it is, also one of /proc.
bool put(const std::string& path, std::string_view text) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  return fd && write_all(fd, text).has_value();
}

/// Runs `body` in a child with its own mount namespace (and user namespace, where we are not root). The child's
/// complaints count as ours.
void in_own_namespace(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const uid_t uid = ::getuid();
    const gid_t gid = ::getgid();
    if (::unshare(CLONE_NEWNS | (uid == 0 ? 0 : CLONE_NEWUSER)) != 0) {
      ADD_FAILURE() << "no mount namespace here: " << std::strerror(errno);
    } else {
      if (uid != 0) {
        (void)put("/proc/self/setgroups", "deny");
        (void)put("/proc/self/uid_map", fmt::format("0 {} 1\n", uid));
        (void)put("/proc/self/gid_map", fmt::format("0 {} 1\n", gid));
      }
      EXPECT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
      body();
    }
    ::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

void mount_ramfs(const std::string& path) {
  ASSERT_THAT(make_folders(path, 0700), Succeeds());
  ASSERT_EQ(::mount("test", path.c_str(), "ramfs", 0, "mode=0700"), 0);
}

void make_read_only(const std::string& path) {
  ASSERT_EQ(::mount(nullptr, path.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY, nullptr), 0);
}

link::Set set_of(std::uint64_t generation) {
  link::Set set = {.generation = generation};
  for (int i = 0; i < 20; ++i)
    set.values.emplace(fmt::format("KEY_{}", i), secret(fmt::format("value {} of {}", i, generation)));
  return set;
}

/// Whether the folder holds exactly the set of that generation; 0: what was there at boot.
bool holds(const std::string& system, std::uint64_t generation) {
  const auto names = list_folder(system);
  if (!names || names->size() != (generation == 0 ? 1 : 21)) return false;
  for (int i = 0; generation != 0 && i < 20; ++i) {
    const auto value = read_file(join_path(system, fmt::format("KEY_{}", i)), 100);
    if (!value || *value != fmt::format("value {} of {}", i, generation)) return false;
  }
  return exists(join_path(system, "vmcred.link"));
}

/// Whether this machine's kernel exchanges mounts (MOVE_MOUNT_BENEATH, Linux 6.5).
bool kernel_exchanges() {
  utsname name = {};
  int major = 0;
  int minor = 0;
  return ::uname(&name) == 0 && std::sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
         std::pair(major, minor) >= std::pair(6, 5);
}

std::ptrdiff_t mounts_on(const std::string& path) {
  const std::string mounts = read_file("/proc/self/mountinfo", 4UL * 1024 * 1024).value();
  std::ptrdiff_t count = 0;
  for (std::size_t at = 0; (at = mounts.find(" " + path + " ", at)) != std::string::npos; ++at) ++count;
  return count;
}

/// `body` where PID 1 received one credential and an agent has its store open.
void with_store(bool exchanges, const std::function<void(const StorePlaces&, SetStore&)>& body) {
  const TestFolder folder;
  in_own_namespace([&] {
    // systemd makes all mounts shared.
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr), 0);
    const StorePlaces places = {.folder = folder / "own", .system = folder / "system", .exchanges = exchanges};
    mount_ramfs(places.system);
    ASSERT_TRUE(put(places.system + "/vmcred.link", "v1"));
    auto store = SetStore::open(places);
    ASSERT_THAT(store, Succeeds());
    body(places, *store);
  });
}

/// With what this machine's kernel has, and as on one before 6.5.
class SetStoreOn : public ::testing::TestWithParam<bool> {};
INSTANTIATE_TEST_SUITE_P(Kernels, SetStoreOn, ::testing::Values(true, false),
                         [](const auto& info) { return info.param ? "AsItIs" : "Before6_5"; });

TEST_P(SetStoreOn, PutsAWholeSetInPlaceReadOnlyAndTakesItBack) {
  with_store(GetParam(), [](const StorePlaces& places, SetStore& store) {
    EXPECT_EQ(store.current().value(), 0u);
    ASSERT_THAT(store.put(set_of(1)), Succeeds());
    EXPECT_TRUE(holds(places.system, 1));
    EXPECT_EQ(::open((places.system + "/new").c_str(), O_WRONLY | O_CREAT, 0600), -1);
    EXPECT_EQ(errno, EROFS);
    ASSERT_THAT(store.put(set_of(2)), Succeeds());
    EXPECT_TRUE(holds(places.system, 2));
    EXPECT_EQ(store.current().value(), 2u);
    ASSERT_THAT(store.take_back(), Succeeds());
    EXPECT_TRUE(holds(places.system, 1));
    ASSERT_THAT(store.forget_others(), Succeeds());
    EXPECT_FALSE(exists(places.folder + "/sets/2/KEY_0"));
    EXPECT_TRUE(holds(places.system, 1));
    EXPECT_EQ(::open((places.system + "/new").c_str(), O_WRONLY | O_CREAT, 0600), -1);
    EXPECT_EQ(errno, EROFS);
  });
}

TEST_P(SetStoreOn, TakesTheFirstSetBackToWhatPid1Imported) {
  with_store(GetParam(), [](const StorePlaces& places, SetStore& store) {
    ASSERT_THAT(store.put(set_of(1)), Succeeds());
    ASSERT_THAT(store.take_back(), Succeeds());
    EXPECT_TRUE(holds(places.system, 0));
    EXPECT_EQ(mounts_on(places.system), 1);
  });
}

TEST(SetStore, AThousandRefreshesAddOneMount) {
  if (!kernel_exchanges()) GTEST_SKIP() << "NOT RUN HERE: this kernel cannot exchange mounts, it is older than 6.5";
  with_store(true, [](const StorePlaces& places, SetStore& store) {
    for (std::uint64_t generation = 1; generation <= 1000; ++generation) {
      ASSERT_THAT(store.put(set_of(generation)), Succeeds());
      ASSERT_THAT(store.forget_others(), Succeeds());
    }
    EXPECT_TRUE(holds(places.system, 1000));
    EXPECT_EQ(mounts_on(places.system), 2);
    ASSERT_THAT(store.put(set_of(1001)), Succeeds());
    ASSERT_THAT(store.take_back(), Succeeds());
    EXPECT_TRUE(holds(places.system, 1000));
    EXPECT_EQ(store.current().value(), 1000u);
    EXPECT_EQ(mounts_on(places.system), 2);
  });
}

TEST(SetStore, WhoLooksDuringAnExchangeSeesAWholeSet) {
  with_store(true, [](const StorePlaces& places, SetStore& store) {
    ASSERT_THAT(store.put(set_of(1)), Succeeds());
    std::atomic<bool> done = false;
    std::atomic<int> looks = 0;
    std::jthread service([&] {
      std::uint64_t newest = 1;
      while (!done) {
        // A folder that is open stays what it was, whatever is mounted over its path.
        const Fd opened(::open(places.system.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        const Fd key(::openat(opened.get(), "KEY_7", O_RDONLY | O_CLOEXEC));
        ASSERT_TRUE(key) << "no set was in place";
        const auto text = read_secret(key, "the key", 100);
        ASSERT_THAT(text, Succeeds());
        std::uint64_t generation = 0;
        ASSERT_EQ(std::sscanf(std::string(text->text()).c_str(), "value 7 of %lu", &generation), 1);
        EXPECT_GE(generation, newest);
        newest = generation;
        ++looks;
      }
    });
    for (std::uint64_t generation = 2; (generation <= 300 || looks < 100) && !::testing::Test::HasFailure();
         ++generation) {
      ASSERT_THAT(store.put(set_of(generation)), Succeeds());
    }
    done = true;
  });
}

TEST_P(SetStoreOn, KilledAtAnyMomentTheOldOrTheNewSetIsInPlace) {
  with_store(GetParam(), [](const StorePlaces& places, SetStore& store) {
    std::uint64_t held = 0;
    int killed = 0;
    for (int round = 1; round <= 60; ++round) {
      const auto next = static_cast<std::uint64_t>(round);
      const pid_t agent = ::fork();
      if (agent == 0) {
        // An alarm ends it wherever it is: later in each round.
        ::signal(SIGALRM, SIG_DFL);  // NOLINT(cert-err33-c)
        const itimerval alarm = {.it_interval = {}, .it_value = {.tv_sec = 0, .tv_usec = 20L * round}};
        ::setitimer(ITIMER_REAL, &alarm, nullptr);
        if (round % 2 == 0) {
          if (!store.put(set_of(next)) || !store.forget_others()) ::_exit(3);
          ::pause();
        }
        for (;;) {
          if (!store.put(set_of(next)) || !store.take_back()) ::_exit(3);
        }
      }
      int status = 0;
      ASSERT_EQ(::waitpid(agent, &status, 0), agent);
      ASSERT_TRUE(WIFSIGNALED(status)) << "round " << round << ", status " << status;
      ++killed;
      const std::uint64_t now = store.current().value();
      ASSERT_TRUE(now == held || now == next) << now;
      ASSERT_TRUE(holds(places.system, now)) << now;
      ASSERT_THAT(store.put(set_of(1000 + next)), Succeeds());  // the repair of the next contact
      ASSERT_TRUE(holds(places.system, 1000 + next));
      held = 1000 + next;
    }
    EXPECT_EQ(killed, 60);
  });
}

TEST(ServiceFolder, GetsNewValuesWithTheOldOwnersAndStaysReadOnly) {
  const TestFolder folder;
  in_own_namespace([&] {
    const ServicePlaces places = {.services = folder / "services", .system = folder / "system"};
    const std::string web = places.services + "/web.service";
    mount_ramfs(web);
    for (const char* name : {"key", "same", "old"}) {
      ASSERT_TRUE(put(join_path(web, name), "first"));
      ASSERT_EQ(::chmod(join_path(web, name).c_str(), 0440), 0);
    }
    struct stat same_before = {};
    ASSERT_EQ(::stat((web + "/same").c_str(), &same_before), 0);
    if (::getuid() == 0 && ::chown((web + "/key").c_str(), 0, 0) != 0) ADD_FAILURE();
    make_read_only(web);
    folder.write("system/API_KEY", "second");
    folder.write("system/SAME", "first");
    const std::vector<link::Consumer> consumers = {{"API_KEY", "key", "web.service", ""},
                                                   {"SAME", "same", "web.service", ""},
                                                   {"API_KEY", "old", "other.service", ""},
                                                   {"API_KEY", "later", "web.service", ""}};
    ASSERT_THAT(renew_service_folder("web.service", consumers, places), Succeeds());
    EXPECT_EQ(read_file(web + "/key", 100).value(), "second");
    EXPECT_EQ(read_file(web + "/old", 100).value(), "first");
    EXPECT_EQ(list_folder(web)->size(), 3u);
    struct stat status = {};
    ASSERT_EQ(::stat((web + "/key").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777, 0440u);
    ASSERT_EQ(::stat((web + "/same").c_str(), &status), 0);
    EXPECT_EQ(status.st_ino, same_before.st_ino);
    EXPECT_EQ(::open((web + "/key").c_str(), O_WRONLY), -1);
    EXPECT_EQ(errno, EROFS);
    EXPECT_THAT(renew_service_folder("none.service", consumers, places), Succeeds());
  });
}

}  // namespace
}  // namespace vmcred::guest
