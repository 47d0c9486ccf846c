// What systemd in the guest says of itself: sd_notify(3) messages over the vm's vsock, as `vmm.notify_socket` asks for
// them.
#pragma once

#include <poll.h>

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"

namespace vmcred::supervise {

/// One message; what it does not say is empty. What is no printable ASCII in texts is replaced.
struct Notice {
  bool ready = false;                   ///< READY=1: every job of the boot is done
  std::string status = {};              ///< STATUS=
  std::string hostname = {};            ///< X_SYSTEMD_HOSTNAME=, from 256
  std::string unit_active = {};         ///< X_SYSTEMD_UNIT_ACTIVE=: a target that was reached
  std::string unit_inactive = {};       ///< X_SYSTEMD_UNIT_INACTIVE=
  std::string shutdown = {};            ///< X_SYSTEMD_SHUTDOWN=: reboot, halt, poweroff, kexec
  std::optional<int> exit_status = {};  ///< EXIT_STATUS=
};

/// systemd's own limit (NOTIFY_BUFFER_MAX).
inline constexpr std::size_t kMaxNotice = 4096;
/// Of one text in a message that is kept.
inline constexpr std::size_t kMaxNoticeText = 256;

/// The lines KEY=VALUE that we know; others, and lines without '=', are passed over. Anything is a message.
Notice parse_notice(std::string_view message);

/// "ready; Startup finished in 3.2s", "reached multi-user.target"; empty: nothing that people care for.
std::string notice_text(const Notice& notice);

/// Receives them: one connection each, closed at once, for PID 1 waits for that (sd_notify(3) over AF_VSOCK, from 256
/// on). Any process in the guest may connect, and nothing tells it from systemd: what is said here proves nothing.
class NoticeListener {
 public:
  /// Connections at a time; when more come the oldest goes.
  static constexpr std::size_t kMaxCallers = 16;
  /// A caller that has spoken and falls silent is done: some VMMs do not pass on that it closed its half
  /// (cloud-hypervisor up to v52).
  static constexpr std::chrono::milliseconds kQuiet{100};
  /// … and one that never speaks goes.
  static constexpr std::chrono::milliseconds kMute{5'000};

  NoticeListener() = default;
  explicit NoticeListener(Fd listener) : listener_(std::move(listener)) {}
  void add_to(std::vector<pollfd>& polled) const;
  /// When receive() has to be called at the latest.
  [[nodiscard]] SteadyTime deadline() const;
  /// Whole messages that are there. One that is too long is dropped.
  std::vector<Notice> receive(SteadyTime now);

 private:
  struct Caller {
    Fd socket;
    SteadyTime limit;  ///< for all that it says
    SteadyTime end;
    std::string said = {};
  };
  enum class Heard : std::uint8_t { more, all, nothing };
  static Heard hear(Caller& caller, SteadyTime now);
  Fd listener_;
  std::deque<Caller> callers_;
};

}  // namespace vmcred::supervise
