#include "base/guardian.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace vmcred {
namespace {

/// Sends SIGKILL to each number in the text, as it stands in /proc/thread-self/children.
void kill_listed(int file) {
  char text[512];
  pid_t number = 0;
  ssize_t n = 0;
  while ((n = ::read(file, text, sizeof text)) > 0) {
    for (ssize_t i = 0; i < n; ++i) {
      if (text[i] >= '0' && text[i] <= '9') {
        number = number * 10 + (text[i] - '0');
      } else if (number > 0) {
        ::kill(number, SIGKILL);
        number = 0;
      }
    }
  }
  if (number > 0) ::kill(number, SIGKILL);
}

/// Ends all that has become our child, and what becomes our child by that.
void end_children() {
  while (true) {
    const pid_t gone = ::waitpid(-1, nullptr, WNOHANG);
    if (gone > 0 || (gone < 0 && errno == EINTR)) continue;
    if (gone < 0) return;  // none is left
    const int file = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    if (file >= 0) {
      kill_listed(file);
      ::close(file);
    }
    (void)::waitpid(-1, nullptr, 0);
  }
}

[[noreturn]] void end_as(int status) {
  if (WIFEXITED(status)) ::_exit(WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  ::signal(signal, SIG_DFL);
  sigset_t one;
  ::sigemptyset(&one);
  ::sigaddset(&one, signal);
  ::sigprocmask(SIG_UNBLOCK, &one, nullptr);
  ::kill(::getpid(), signal);
  ::_exit(128 + signal);
}

/// Nothing but SIGKILL ends it early: no terminal, no signal that is meant for us.
void stand_apart(const char* name) {
  ::setsid();
  sigset_t all;
  ::sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  ::signal(SIGCHLD, SIG_DFL);
  ::prctl(PR_SET_NAME, name, 0, 0, 0);
}

/// Our copies of what is open in us would keep locks and pipes from their end.
void close_all_but(int one, int other) {
  const auto close_all = [](unsigned from, unsigned to) {
    if (from <= to) (void)::syscall(SYS_close_range, from, to, 0U);
  };
  const auto low = static_cast<unsigned>(one < other ? one : other);
  const auto high = static_cast<unsigned>(one < other ? other : one);
  if (low > 0) close_all(0, low - 1);
  if (high > low) close_all(low + 1, high - 1);
  close_all(high + 1, ~0U);
}

/// Waits for the first byte; '\0' at the end of the pipe.
char next_byte(int lifeline) {
  char byte = 0;
  ssize_t n = 0;
  while ((n = ::read(lifeline, &byte, 1)) < 0 && errno == EINTR) {
  }
  return n == 1 ? byte : '\0';
}

}  // namespace

Result<Child> spawn_keeper() {
  TRY_LET(FdPair lifeline, make_pipe());
  const pid_t pid = ::fork();
  if (pid < 0) return fail_errno("fork");
  if (pid == 0) {
    stand_apart("vmcred-keeper");
    close_all_but(lifeline.first.get(), lifeline.first.get());
    (void)next_byte(lifeline.first.get());
    ::_exit(0);
  }
  return Child(pid, Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))), std::move(lifeline.second));
}

void guard(int lifeline, pid_t (*start)(void*), void* argument) {
  stand_apart("vmcred-guardian");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (next_byte(lifeline) != kGo) ::_exit(127);
  const pid_t program = start(argument);
  if (program < 0) ::_exit(127);
  const int watched = static_cast<int>(::syscall(SYS_pidfd_open, program, 0));
  close_all_but(lifeline, watched < 0 ? lifeline : watched);
  pollfd events[] = {{.fd = lifeline, .events = POLLIN, .revents = 0}, {.fd = watched, .events = POLLIN, .revents = 0}};
  while (watched >= 0 && ::poll(events, 2, -1) < 0 && errno == EINTR) {
  }
  if (events[1].revents == 0) ::kill(program, SIGKILL);
  int status = 0;
  while (::waitpid(program, &status, 0) < 0 && errno == EINTR) {
  }
  end_children();
  end_as(status);
}

}  // namespace vmcred
