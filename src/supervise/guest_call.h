// A call to the guest over a hybrid vsock: the host connects to the VMM's socket and says CONNECT PORT.
#pragma once

#include <poll.h>

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"

namespace vmcred::supervise {

/// One call at a time, begun when something in the guest has knocked and not more often than every kPause: whoever
/// floods the link's port brings calls about, and no others. Only root in the guest can take them (link::kGuestPort).
class GuestCall {
 public:
  static constexpr std::chrono::milliseconds kPause{100};
  static constexpr std::chrono::milliseconds kPatience{5000};  ///< until the VMM says OK

  GuestCall() = default;
  /// `socket`: where the VMM listens (cloud-hypervisor's and Firecracker's vsock socket).
  explicit GuestCall(std::string socket) : socket_(std::move(socket)) {}

  void knocked() { wanted_ = true; }
  /// Takes a step; `needed`: nobody proven is on the link. Gives the connection once the VMM has put it through.
  std::optional<Fd> step(SteadyTime now, bool needed);
  [[nodiscard]] SteadyTime deadline() const;
  void add_to(std::vector<pollfd>& polled) const;

 private:
  void begin(SteadyTime now);
  /// Empty: not yet. Reads no byte that is the guest's.
  std::optional<bool> put_through();

  std::string socket_ = {};
  bool wanted_ = false;
  Fd line_ = {};
  std::string said_ = {};
  SteadyTime next_ = {};  ///< not before
  SteadyTime limit_ = {};
};

}  // namespace vmcred::supervise
