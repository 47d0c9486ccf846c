// How the supervisor talks to a VMM that it started: one narrow door, one implementation for each kind of control
// socket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::supervise {

/// Why a guest stopped, as the VMM tells it. Exit codes of VMMs say nothing about it.
enum class GuestEnd : std::uint8_t { powered_off, reset, panicked, host_asked, unknown };
std::string_view guest_end_text(GuestEnd end);  ///< "the guest powered off", …

struct DriverEvent {
  enum class Kind : std::uint8_t {
    channel_read,  ///< the VMM holds its own copy of every inherited memory file: wipe them, then call go()
    running,       ///< the guest's processors run
    ended,         ///< the guest stopped; `end` says why. The VMM's process follows.
    closed,        ///< the control socket was closed
  };
  Kind kind;
  GuestEnd end = GuestEnd::unknown;
};

/// Whether a VMM that says it is of `version` can carry what it is about to be given; the error names one that can.
using VersionCheck = std::function<Result<>(std::string_view version)>;

/// One VMM's control socket. Never blocks: receive() is called when fd() is readable.
class Driver {
 public:
  virtual ~Driver() = default;
  [[nodiscard]] virtual const Fd& fd() const = 0;
  /// Right after the VMM's process was started.
  virtual Result<> begin() = 0;
  virtual Result<std::vector<DriverEvent>> receive() = 0;
  /// Lets the guest run.
  virtual Result<> go() = 0;
  /// Asks the guest to power off as a machine's power key would: it may not listen.
  virtual Result<> press_power() = 0;
  /// Ends the VMM, whatever the guest does.
  virtual Result<> quit() = 0;
};

}  // namespace vmcred::supervise
