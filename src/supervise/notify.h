// Tells systemd how far we are (sd_notify(3)), by its datagram socket and nothing else.
#pragma once

#include <string>

#include "base/result.h"

namespace vmcred::supervise {

/// The socket of $NOTIFY_SOCKET; with an empty name every message is dropped.
class Notifier {
 public:
  explicit Notifier(std::string socket_name = {}) : name_(std::move(socket_name)) {}
  /// Sends lines like "READY=1\nSTATUS=…".
  Result<> send(std::string_view state) const;
  [[nodiscard]] bool wanted() const { return !name_.empty(); }

 private:
  std::string name_;  ///< a path, or '@' and an abstract name
};

}  // namespace vmcred::supervise
