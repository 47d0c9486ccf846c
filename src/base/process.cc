#include "base/process.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/file.h"

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
  bool new_session;
  const std::optional<uid_t>& user;
  const std::vector<std::pair<int, rlim_t>>& limits;
};

[[noreturn]] void give_up(int report) {
  const int number = errno;
  (void)!::write(report, &number, sizeof number);
  ::_exit(127);
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
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
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
  ::execve(p.program, p.argv, p.environment);
  give_up(report);
}

}  // namespace

std::string ExitStatus::text() const {
  if (signal != 0) return fmt::format("signal {} ({})", signal, ::strsignal(signal));  // NOLINT(concurrency-mt-unsafe)
  return fmt::format("exit code {}", code);
}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

void Child::kill(int signal) const {
  if (pid_ > 0) ::kill(pid_, signal);
}

Result<ExitStatus> Child::wait() {
  int raw = 0;
  while (::waitpid(pid_, &raw, 0) < 0) {
    if (errno != EINTR) return fail_errno("wait for process {}", pid_);
  }
  pid_ = -1;
  ExitStatus status;
  if (WIFEXITED(raw)) {
    status.code = WEXITSTATUS(raw);
  } else {
    status.signal = WTERMSIG(raw);
  }
  return status;
}

Result<std::optional<ExitStatus>> Child::wait_for(std::chrono::milliseconds limit) {
  pollfd watched = {.fd = pidfd_.get(), .events = POLLIN, .revents = 0};
  const auto end = std::chrono::steady_clock::now() + limit;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    const int n = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("wait for process {}", pid_);
    if (n == 0) return std::optional<ExitStatus>();
    TRY_LET(const ExitStatus status, wait());
    return std::optional<ExitStatus>(status);
  }
}

Result<Child> spawn(const Command& command) {
  const std::string& name = command.argv.at(0);
  std::string search = std::string(kSystemPath);
  if (const char* path = ::getenv("PATH"); path != nullptr) search = path;  // NOLINT(concurrency-mt-unsafe)
  const auto program = find_program(name, search);
  if (!program) {
    return hint(fail(Errc::not_found, "run '{}': no such program", name), fmt::format("install '{}' or put it on PATH", name));
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
                             .parent = ::getpid(),
                             .die_with_parent = command.die_with_parent,
                             .new_session = command.new_session,
                             .user = command.user,
                             .limits = command.limits};
  // vfork: no page tables are copied, and a start waits for the exec anyway. Not for another user: glibc's setresuid
  // talks to threads, which a child that shares our memory must not do.
  const pid_t pid = command.user ? ::fork() : ::vfork();
  if (pid < 0) return fail_errno("run '{}': fork", name);
  if (pid == 0) become_child(preparation);
  Child child(pid, Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))));
  report.second = Fd();
  int number = 0;
  ssize_t n = 0;
  while ((n = ::read(report.first.get(), &number, sizeof number)) < 0 && errno == EINTR) {
  }
  if (n == sizeof number) return system_failure(number, fmt::format("run '{}'", name));
  if (!child.pidfd()) return fail_errno("watch process '{}'", name);
  return child;
}

Result<Output> run(const Command& command, const RunOptions& options) {
  TRY_LET(FdPair in, make_pipe());
  TRY_LET(FdPair out, make_pipe());
  TRY_LET(FdPair err, make_pipe());
  Command full = command;
  full.descriptors.emplace_back(0, in.first.get());
  full.descriptors.emplace_back(1, out.second.get());
  full.descriptors.emplace_back(2, err.second.get());
  TRY_LET(Child child, spawn(full));
  in.first = Fd();
  out.second = Fd();
  err.second = Fd();
  TRY(set_nonblocking(in.second, true));
  if (options.input.empty()) in.second = Fd();

  Output result;
  std::string_view input = options.input;
  const auto end = options.limit ? std::chrono::steady_clock::now() + *options.limit : std::chrono::steady_clock::time_point::max();
  std::string buffer(64 * 1024, '\0');
  while (out.first || err.first) {
    std::vector<pollfd> watched;
    const auto watch = [&watched](const Fd& fd, short events) {
      watched.push_back({.fd = fd ? fd.get() : -1, .events = events, .revents = 0});
    };
    watch(out.first, POLLIN);
    watch(err.first, POLLIN);
    watch(in.second, POLLOUT);
    int patience = -1;
    if (options.limit) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
      if (left.count() <= 0) {
        return fail(Errc::unavailable, "'{}' did not end within {} ms", command.argv[0], options.limit->count());
      }
      patience = static_cast<int>(left.count());
    }
    const int n = ::poll(watched.data(), watched.size(), patience);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("wait for '{}'", command.argv[0]);
    const auto drain = [&](Fd& fd, std::string& into, bool fatal) -> Result<> {
      const ssize_t got = ::read(fd.get(), buffer.data(), buffer.size());
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) return {};
      if (got <= 0) {
        fd = Fd();
        return {};
      }
      if (into.size() + static_cast<std::size_t>(got) > options.max_output) {
        if (fatal) return fail(Errc::invalid_data, "'{}' printed more than {} bytes", command.argv[0], options.max_output);
        into.append(buffer, 0, options.max_output - into.size());
        return {};
      }
      into.append(buffer, 0, static_cast<std::size_t>(got));
      return {};
    };
    if (watched[0].revents != 0) TRY(drain(out.first, result.out, true));
    if (watched[1].revents != 0) TRY(drain(err.first, result.err, false));
    if (watched[2].revents != 0) {
      const ssize_t put = write_some(in.second, input);
      if (put > 0) input.remove_prefix(static_cast<std::size_t>(put));
      if (input.empty() || (put < 0 && errno != EINTR && errno != EAGAIN)) in.second = Fd();
    }
  }
  if (options.limit) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    TRY_LET(const auto status, child.wait_for(std::max(left, std::chrono::milliseconds(0))));
    if (!status) return fail(Errc::unavailable, "'{}' did not end within {} ms", command.argv[0], options.limit->count());
    result.status = *status;
    return result;
  }
  TRY_LET(result.status, child.wait());
  return result;
}

Result<std::pair<ExitStatus, Secret>> run_for_secret(const Command& command, std::size_t max_bytes) {
  TRY_LET(FdPair out, make_pipe());
  Command full = command;
  full.descriptors.emplace_back(1, out.second.get());
  TRY_LET(Child child, spawn(full));
  out.second = Fd();
  TRY_LET(Secret secret, read_secret(out.first, command.argv[0], max_bytes));
  TRY_LET(const ExitStatus status, child.wait());
  return std::pair(status, std::move(secret));
}

std::optional<std::string> find_program(const std::string& name, std::string_view search_path) {
  const auto runnable = [](const std::string& path) {
    struct stat status = {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode) && ::access(path.c_str(), X_OK) == 0;
  };
  if (name.find('/') != std::string::npos) return runnable(name) ? std::optional(name) : std::nullopt;
  while (!search_path.empty()) {
    const auto colon = search_path.find(':');
    const std::string_view folder = search_path.substr(0, colon);
    search_path = colon == std::string_view::npos ? std::string_view() : search_path.substr(colon + 1);
    if (!folder.starts_with('/')) continue;  // never a relative folder
    std::string candidate = join_path(folder, name);
    if (runnable(candidate)) return candidate;
  }
  return std::nullopt;
}

}  // namespace vmcred
