// Starting other programs: explicit arguments, environment and descriptors; nothing else is inherited.
#pragma once

#include <signal.h>
#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred {

/// What to run. argv[0] is looked up on `search_path` unless it holds a '/'.
struct Command {
  std::vector<std::string> argv;
  std::optional<std::vector<std::string>> environment = {};  ///< "NAME=value"; none: ours
  std::string folder = {};                                   ///< working directory; empty: ours
  /// (the child's number, our descriptor): exactly these are open in the child, besides 0, 1 and 2, which come from
  /// /dev/null (0) and from us (1, 2) unless they are in here.
  std::vector<std::pair<int, int>> descriptors = {};
  bool die_with_parent = true;     ///< PR_SET_PDEATHSIG (bound to the thread that spawns)
  int death_signal = SIGKILL;      ///< …with this one
  bool new_session = false;        ///< setsid: away from our terminal and process group
  std::optional<uid_t> user = {};  ///< root only: becomes this user and the group of the same number, no other groups
  std::vector<std::pair<int, rlim_t>> limits = {};  ///< (RLIMIT_…, soft and hard)
  std::string call_filter =
      {};  ///< a BPF program that looks at each of its system calls (seccomp(2)); it gains no rights then
  /// All that comes of it ends with it and with us, also where we are killed before its first instruction (guardian.h).
  bool guarded = false;
  /// Called with the guardian's process before the program starts: where that is put, all that comes of it is.
  std::function<Result<>(pid_t)> place = {};
};

/// How a process ended.
struct ExitStatus {
  int code = -1;   ///< exit code, or -1
  int signal = 0;  ///< the signal that ended it, or 0
  [[nodiscard]] bool ok() const { return code == 0; }
  /// "exit code 3" or "signal 9 (Killed)"
  [[nodiscard]] std::string text() const;
};

/// A running child. If it was not waited for, the destructor kills and reaps it. A guarded one ends with all that came
/// of it: any signal does that, and it is over when nothing of it is left.
class Child {
 public:
  Child() = default;
  Child(pid_t pid, Fd pidfd, Fd lifeline = Fd())
      : pid_(pid), pidfd_(std::move(pidfd)), lifeline_(std::move(lifeline)) {}
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, -1)), pidfd_(std::move(other.pidfd_)), lifeline_(std::move(other.lifeline_)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    pidfd_.swap(other.pidfd_);
    lifeline_.swap(other.lifeline_);
    return *this;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child();
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Readable (poll) once the child has ended.
  [[nodiscard]] const Fd& pidfd() const { return pidfd_; }
  Result<ExitStatus> wait();
  /// Waits at most `limit`; empty when it still runs.
  Result<std::optional<ExitStatus>> wait_for(std::chrono::milliseconds limit);
  void kill(int signal) const;
  /// Lets the program of a guarded one start; spawn() does.
  Result<> let_go() const;

 private:
  pid_t pid_ = -1;
  Fd pidfd_;
  Fd lifeline_ = Fd();
};

/// Starts it. A program that cannot be executed is an error here ("run 'bwrap': No such file or directory").
Result<Child> spawn(const Command& command);

/// What `run` gives back.
struct Output {
  ExitStatus status;
  std::string out;  ///< stdout, at most `max_output`; more is a failure
  std::string err;  ///< the first `max_output` bytes of stderr
};
struct RunOptions {
  std::string_view input = {};  ///< written to stdin, then closed
  std::size_t max_output = 1024 * 1024;
  std::optional<std::chrono::milliseconds> limit = {};  ///< then SIGKILL and `unavailable`
};
/// Runs to the end with captured output. A non-zero exit is not an error of run().
Result<Output> run(const Command& command, const RunOptions& options = {});

/// The same for output that is plaintext.
Result<std::pair<ExitStatus, Secret>> run_for_secret(const Command& command, std::size_t max_bytes);

/// The absolute path of a program on a PATH-like list, or nothing. An argument with a '/' is only checked.
std::optional<std::string> find_program(const std::string& name, std::string_view search_path);
/// Where distributions keep their programs.
inline constexpr std::string_view kSystemPath =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin";

}  // namespace vmcred
