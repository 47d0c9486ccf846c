#include "supervise/stop_signals.h"

#include <sys/signalfd.h>

namespace vmcred::supervise {

Result<StopSignals> StopSignals::take() {
  StopSignals signals;
  sigset_t wanted;
  ::sigemptyset(&wanted);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&wanted, number);
  if (::sigprocmask(SIG_BLOCK, &wanted, &signals.before_) != 0) return fail_errno("block signals");
  signals.fd_ = Fd(::signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!signals.fd_) return fail_errno("watch signals");
  return signals;
}

StopSignals::~StopSignals() {
  if (!fd_) return;
  while (next() != 0) {  // a second one that was too late must not end us now
  }
  ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int StopSignals::next() const {
  signalfd_siginfo info = {};
  return ::read(fd_.get(), &info, sizeof info) == sizeof info ? static_cast<int>(info.ssi_signo) : 0;
}

}  // namespace vmcred::supervise
