// That we are told to end, and whether the whole guest ends with us.
#pragma once

#include <signal.h>

#include <optional>

#include "base/fd.h"
#include "base/result.h"
#include "link/departure.h"

namespace vmcred::guest {

/// SIGTERM as something to wait for. It is held back only within a scope of `Waiting`; elsewhere it ends us at once, as
/// always. What takes long within such a scope (services that restart) asks from time to time whether it came.
class EndSignal {
 public:
  static Result<EndSignal> open();
  /// Readable when SIGTERM came while it was held back.
  [[nodiscard]] const Fd& fd() const { return fd_; }
  [[nodiscard]] bool came() const;

  class Waiting {
   public:
    Waiting();
    ~Waiting();
    Waiting(const Waiting&) = delete;
    Waiting& operator=(const Waiting&) = delete;
  };

 private:
  explicit EndSignal(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

/// How the guest shuts down, by the jobs of its systemd; nothing when it does not (the agent alone is stopped), or when
/// systemd cannot be asked.
std::optional<link::Departure> departure_under_way();

}  // namespace vmcred::guest
