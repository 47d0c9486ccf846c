// SIGTERM, SIGINT and SIGHUP as a descriptor to poll.
#pragma once

#include <signal.h>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::supervise {

/// Holds the three signals back from this process; the mask is put back at the end.
class StopSignals {
 public:
  static Result<StopSignals> take();
  StopSignals(StopSignals&&) = default;
  StopSignals& operator=(StopSignals&&) = delete;
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();
  [[nodiscard]] const Fd& fd() const { return fd_; }
  /// The next signal that came, or 0.
  [[nodiscard]] int next() const;

 private:
  StopSignals() = default;
  Fd fd_;
  sigset_t before_ = {};
};

}  // namespace vmcred::supervise
