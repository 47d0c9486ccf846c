// Moves bytes between the guest's connection and the link's state machine, without blocking.
#pragma once

#include <poll.h>

#include <deque>
#include <memory>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "link/host.h"
#include "link/inbox.h"
#include "supervise/guest_call.h"

namespace vmcred::supervise {

/// Connections to a listening link that have not said a proper hello yet. Any process in the guest may connect to a
/// vsock port; when more come the oldest goes.
inline constexpr std::size_t kMaxCallers = 16;
/// More connections than this within kFloodWindow, without one that held a key, are a flood.
inline constexpr std::size_t kFlood = 200;
inline constexpr std::chrono::seconds kFloodWindow{10};
/// What a caller may say before its hello is complete: the zeros that end its predecessor's frame, and the hello.
inline constexpr std::size_t kMaxCallerBytes = 2 * link::kMaxFrame;

/// Over a serial port there is one stream for the life of the VMM. Over vsock (a unix socket that the VMM connects to
/// for the guest) every connection is screened first: only one whose hello names a valid key becomes the stream, in the
/// place of the one before it. So a process in the guest that holds no key can neither break nor block the link. Enough
/// of them can crowd an agent out, though, since cloud-hypervisor and Firecracker hide the port that it comes from. So
/// each connection is a knock as well, upon which the host calls the guest at a port that only root there can take.
class LinkPump {
 public:
  LinkPump(Fd socket, link::HostSession session) : socket_(std::move(socket)), session_(std::move(session)) {}
  /// `vsock`: the VMM's own socket, for calls to the guest.
  static LinkPump listening(Fd listener, std::string vsock, link::HostSession session) {
    LinkPump pump(Fd(), std::move(session));
    pump.listener_ = std::move(listener);
    pump.call_ = GuestCall(std::move(vsock));
    return pump;
  }
  /// Adds what poll(2) has to wait for.
  void add_to(std::vector<pollfd>& polled) const;
  /// Reads what is there; events are then in session(). An ended stream closes the descriptor.
  Result<> receive(SteadyTime now);
  [[nodiscard]] SteadyTime deadline() const { return call_.deadline(); }
  /// Whether a flood of connections began since the last question.
  [[nodiscard]] bool flooded() { return std::exchange(flooded_, false); }
  /// Writes what fits; never makes an event but the end of the stream.
  Result<> send();
  [[nodiscard]] link::HostSession& session() { return session_; }

 private:
  struct Caller {
    Fd socket;
    link::Inbox inbox;
    std::size_t said = 0;
  };
  void accept_callers(SteadyTime now);
  void count_caller(SteadyTime now);
  void hear_callers();
  void call_guest(SteadyTime now);
  /// Whether the caller has more to say; else it was let in or is gone.
  bool hear(Caller& caller);
  void hang_up();

  Fd socket_;
  Fd listener_;
  link::HostSession session_;
  std::deque<Caller> callers_ = {};
  GuestCall call_ = {};
  std::unique_ptr<Caller> called_ = {};  ///< whom we called: no crowd pushes it out
  SteadyTime window_ = {};               ///< in which callers are counted
  std::size_t counted_ = 0;
  bool flooded_ = false;
  Secret unsent_ = {};
  std::size_t sent_ = 0;
};

}  // namespace vmcred::supervise
