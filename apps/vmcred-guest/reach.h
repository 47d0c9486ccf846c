// How a guest gets to speak with its host: over the serial port, or over vsock by the host's call.
#pragma once

#include <functional>

#include "link/guest.h"
#include "port.h"

namespace vmcred::guest {

/// A contact whose host has answered.
struct Reached {
  Fd port;
  link::GuestSession session;
  link::GuestEvent first;
};

/// On vsock we stand at a port below 1024 (link::kGuestPort), knock at the host's and wait for its call; no other
/// process of the guest can be in the way there. A host of before makes no calls: after a while we speak at its port,
/// as agents of before do. `begin` makes the session of one attempt. `unavailable` when nobody answered within `limit`.
Result<Reached> reach_host(const link::Address& address, const std::function<link::GuestSession()>& begin,
                           std::chrono::milliseconds limit);

}  // namespace vmcred::guest
