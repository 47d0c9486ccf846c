// Moves bytes between a descriptor and the link's state machine, without blocking.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "link/host.h"

namespace vmcred::supervise {

class LinkPump {
 public:
  LinkPump(Fd socket, link::HostSession session) : socket_(std::move(socket)), session_(std::move(session)) {}
  /// A link whose stream begins with each connection to `listener`, one at a time (vsock by a unix socket).
  static LinkPump listening(Fd listener, link::HostSession session) {
    LinkPump pump(Fd(), std::move(session));
    pump.listener_ = std::move(listener);
    return pump;
  }
  [[nodiscard]] const Fd& fd() const { return socket_ ? socket_ : listener_; }
  /// poll(2) events to wait for.
  [[nodiscard]] short wanted() const;
  /// Reads and writes what is possible now; events are then in session(). An ended stream closes the descriptor.
  Result<> pump();
  [[nodiscard]] link::HostSession& session() { return session_; }

 private:
  void accept_one();
  Result<> read_all_there_is();
  Result<> write_what_fits();

  Fd socket_;
  Fd listener_;
  link::HostSession session_;
  Secret unsent_ = {};
  std::size_t sent_ = 0;
};

}  // namespace vmcred::supervise
