// Between fork and exec.
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/guardian.h"
#include "base/process.h"

extern char** environ;  // NOLINT

namespace vmcred {
namespace {

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> result;
  result.reserve(words.size() + 1);
  for (const std::string& word : words) result.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  result.push_back(nullptr);
  return result;
}

/// What runs between fork and exec: only async-signal-safe calls, everything prepared by the parent.
struct Preparation {
  const char* program;
  char* const* argv;
  char* const* environment;
  const char* folder;
  std::vector<std::pair<int, int>> map;  // (child number, number to copy from), already moved out of the way
  int report;
  int null;
  pid_t parent;
  bool die_with_parent;
  int death_signal;
  bool new_session;
  const std::optional<uid_t>& user;
  const std::vector<std::pair<int, rlim_t>>& limits;
  const std::string& call_filter;
};

[[noreturn]] void give_up(int report) {
  const int number = errno;
  (void)!::write(report, &number, sizeof number);
  ::_exit(127);
}

void filter_calls(const std::string& filter, int report) {
  // Exported as an array of these by libseccomp, read as such by the kernel.
  auto* const rules = reinterpret_cast<sock_filter*>(const_cast<char*>(filter.data()));  // NOLINT
  const sock_fprog program = {.len = static_cast<unsigned short>(filter.size() / sizeof(sock_filter)), .filter = rules};
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) give_up(report);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) give_up(report);
}

[[noreturn]] void become_child(Preparation& p) {
  for (const auto& [resource, value] : p.limits) {
    const rlimit limit = {.rlim_cur = value, .rlim_max = value};
    if (::setrlimit(static_cast<__rlimit_resource>(resource), &limit) != 0) give_up(p.report);
  }
  if (p.user) {  // before PR_SET_PDEATHSIG, which a change of the user clears
    if (::setgroups(0, nullptr) != 0 || ::setresgid(*p.user, *p.user, *p.user) != 0 ||
        ::setresuid(*p.user, *p.user, *p.user) != 0) {
      give_up(p.report);
    }
  }
  if (p.die_with_parent) {
    ::prctl(PR_SET_PDEATHSIG, p.death_signal, 0, 0, 0);
    if (::getppid() != p.parent) ::_exit(127);  // the parent died before the signal was armed
  }
  if (p.new_session) ::setsid();
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  // First lift every source above all targets, so that no copy overwrites a source that is still needed.
  int highest = 3;
  for (const auto& [child, source] : p.map) highest = std::max(highest, child + 1);
  const int report = ::fcntl(p.report, F_DUPFD_CLOEXEC, highest);
  if (report < 0) give_up(p.report);
  for (auto& [child, source] : p.map) {
    source = ::fcntl(source, F_DUPFD_CLOEXEC, highest);
    if (source < 0) give_up(report);
  }
  bool has_stdin = false;
  for (const auto& [child, source] : p.map) {
    has_stdin = has_stdin || child == 0;
    if (::dup2(source, child) < 0) give_up(report);
  }
  if (!has_stdin && ::dup2(p.null, 0) < 0) give_up(report);
  // Everything else is close-on-exec already; this catches what a library or our own parent left open.
  for (int number = 3; number < highest; ++number) {
    bool wanted = false;
    for (const auto& [child, source] : p.map) wanted = wanted || child == number;
    if (!wanted) ::close(number);
  }
  (void)::syscall(SYS_close_range, static_cast<unsigned>(highest), ~0U, 4U /* CLOSE_RANGE_CLOEXEC */);
  if (p.folder != nullptr && ::chdir(p.folder) != 0) give_up(report);
  if (!p.call_filter.empty()) filter_calls(p.call_filter, report);
  ::execve(p.program, p.argv, p.environment);
  give_up(report);
}

/// vfork: no page tables are copied, and a start waits for the exec anyway. Not for another user: glibc's setresuid
/// talks to threads, which a child that shares our memory must not do.
pid_t start(void* argument) {
  auto& preparation = *static_cast<Preparation*>(argument);
  preparation.parent = ::getpid();
  const pid_t pid = preparation.user ? ::fork() : ::vfork();
  if (pid == 0) become_child(preparation);
  return pid;
}

}  // namespace

Result<Child> spawn(const Command& command) {
  const std::string& name = command.argv.at(0);
  std::string search = std::string(kSystemPath);
  if (const char* path = ::getenv("PATH"); path != nullptr) search = path;  // NOLINT(concurrency-mt-unsafe)
  const auto program = find_program(name, search);
  if (!program) {
    return hint(fail(Errc::not_found, "run '{}': no such program", name),
                fmt::format("install '{}' or put it on PATH", name));
  }
  TRY_LET(FdPair report, make_pipe());
  Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null) return fail_errno("open '/dev/null'");
  const std::vector<char*> argv = pointers(command.argv);
  const std::vector<char*> environment = command.environment ? pointers(*command.environment) : std::vector<char*>();
  Preparation preparation = {.program = program->c_str(),
                             .argv = argv.data(),
                             .environment = command.environment ? environment.data() : environ,
                             .folder = command.folder.empty() ? nullptr : command.folder.c_str(),
                             .map = command.descriptors,
                             .report = report.second.get(),
                             .null = null.get(),
                             .parent = 0,
                             .die_with_parent = command.die_with_parent,
                             .death_signal = command.death_signal,
                             .new_session = command.new_session,
                             .user = command.user,
                             .limits = command.limits,
                             .call_filter = command.call_filter};
  FdPair lifeline;
  if (command.guarded) {
    TRY_LET(lifeline, make_pipe());
  }
  const pid_t pid = command.guarded ? ::fork() : start(&preparation);
  if (pid < 0) return fail_errno("run '{}': fork", name);
  if (pid == 0) {  // only a guardian comes back from its fork
    ::close(lifeline.second.get());
    guard(lifeline.first.get(), start, &preparation);
  }
  Child child(pid, Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), std::move(lifeline.second));
  if (command.place) TRY(command.place(pid));
  if (command.guarded) TRY(child.let_go());
  report.second = Fd();
  int number = 0;
  ssize_t n = 0;
  while ((n = ::read(report.first.get(), &number, sizeof number)) < 0 && errno == EINTR) {
  }
  if (n == sizeof number) return system_failure(number, fmt::format("run '{}'", name));
  if (!child.pidfd()) return fail_errno("watch process '{}'", name);
  return child;
}

}  // namespace vmcred
