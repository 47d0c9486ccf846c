// Pumps the guest's half of the link over an open port.
#pragma once

#include <chrono>
#include <optional>

#include "base/fd.h"
#include "base/randomness.h"
#include "base/result.h"
#include "link/guest.h"

namespace vmcred::guest {

/// /proc/sys/kernel/random/boot_id as 16 bytes.
Result<link::BootId> boot_id();

/// Writes what the session has and reads what comes until it has an event, everything is written, or `limit` is over
/// (`unavailable`). Gives the event; empty when everything is written and `until_written`, or when `wake` is readable.
Result<std::optional<link::GuestEvent>> next_event(const Fd& port, link::GuestSession& session,
                                                   std::chrono::milliseconds limit, bool until_written = false,
                                                   const Fd* wake = nullptr);

}  // namespace vmcred::guest
