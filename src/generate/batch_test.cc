// A batch that is killed anywhere: each generator's values are there or not, never by half, and the next run goes on.
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>

#include "no_threads.h"
#include "trial_project.h"

namespace vmcred::generate {
namespace {

using testing::Succeeds;

/// Whether a call changes something on a file system.
bool changes_files(const __ptrace_syscall_info& call) {
  switch (call.entry.nr) {
    case SYS_openat:
      return (call.entry.args[2] & O_CREAT) != 0;
    case SYS_mkdir:
    case SYS_mkdirat:
    case SYS_symlink:
    case SYS_symlinkat:
    case SYS_link:
    case SYS_linkat:
    case SYS_rename:
    case SYS_renameat:
    case SYS_renameat2:
    case SYS_unlink:
    case SYS_unlinkat:
    case SYS_rmdir:
    case SYS_fsync:
    case SYS_fchmod:
    case SYS_write:
      return true;
    default:
      return false;
  }
}

/// Generates in a child of one thread's width and kills all of it before its `number`th change. True when it ended
/// before.
bool generate_until(const TrialProject& project, int number) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    ::raise(SIGSTOP);
    ::_exit(project.generate() ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  // Threads are followed, processes (the sandboxes) are not.
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE);
  ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
  int changes = 0;
  while (true) {
    const pid_t thread = ::waitpid(-1, &status, __WALL);
    if (thread < 0) return true;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (thread != child) continue;
      EXPECT_EQ(status, 0);
      return true;
    }
    long deliver = 0;
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
      __ptrace_syscall_info call = {};
      ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof call, &call);
      if (call.op == PTRACE_SYSCALL_INFO_ENTRY && changes_files(call) && ++changes == number) {
        ::kill(child, SIGKILL);
        // Its other threads have to be buried first.
        while (::waitpid(-1, &status, __WALL) != child || !WIFSIGNALED(status)) {
        }
        return false;
      }
    } else if (WSTOPSIG(status) != SIGTRAP && WSTOPSIG(status) != SIGSTOP) {
      deliver = WSTOPSIG(status);
    }
    ::ptrace(PTRACE_SYSCALL, thread, nullptr, deliver);
  }
}

/// What is stored, value by value: nothing of a generator, or all of it in the clear.
std::string stored(const TrialProject& project) {
  std::string text;
  for (const auto& [generator, file] :
       {std::pair("base", "key"), std::pair("base", "other"), std::pair("made", "copy")})
    text += project.value(generator, file) + "|";
  return text;
}

TEST(BatchPromise, KilledAtAnyChangeEachGeneratorIsWholeOrNotThere) {
  std::set<std::string> seen;
  std::set<std::string> gone_on;
  bool ended = false;
  for (int number = 1; !ended && number < 2000; ++number) {
    TrialProject project;
    declare::Generator& base = project.declaration.generators.at("base");
    base.files.emplace("other", declare::File{.name = "other"});
    base.script += R"(; printf two > "$out/other")";
    ended = generate_until(project, number);
    const std::string between = stored(project);
    seen.insert(between);
    const std::vector<std::string> states = project.states();
    for (const std::string& state : states)
      ASSERT_TRUE(state.ends_with(" fresh") || state.contains("never generated"))
          << "killed at change " << number << ": " << state;
    // Whoever comes next clears what was left, and goes on with no other command.
    ASSERT_THAT(store::Lock::take(project.repository, Wait::yes), Succeeds());
    ASSERT_FALSE(exists(project.folder.path() + "/vars/.vmcred-staging"));
    std::string tree = between;
    for (const char* place :
         {"sops/machines/web/key.json", "sops/secrets/web-age.key/secret", "vars/per-machine/web", "vars"})
      tree += exists(join_path(project.folder.path(), place)) ? '1' : '0';
    if (!gone_on.insert(tree).second) continue;
    // What was finished is kept: the ciphertext stays the same.
    const bool had_base = states[0] == "base fresh";
    const store::VarId key{
        .generator = {.placement = {.sharing = declare::Sharing::per_machine, .owner = "web"}, .generator = "base"},
        .file = "key"};
    const std::string before = had_base ? project.repository.read_stored(key).value() : std::string();
    ASSERT_THAT(project.generate(), Succeeds()) << "after a kill at change " << number;
    ASSERT_EQ(stored(project), "one|two|one|") << "after a kill at change " << number;
    if (had_base) {
      ASSERT_EQ(project.repository.read_stored(key).value(), before);
    }
  }
  EXPECT_TRUE(ended);
  EXPECT_EQ(seen.size(), 3U);  // nothing, base alone, both
}

TEST(BatchPromise, AllIsDoneWhereTheSystemGivesNoThread) {
  const TrialProject project;
  const testing::NoThreads none;
  ASSERT_THAT(project.generate(), Succeeds());
  EXPECT_EQ(project.value("made", "copy"), "one");
}

}  // namespace
}  // namespace vmcred::generate
