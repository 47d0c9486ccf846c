#include "supervise/link_pump.h"

#include <poll.h>
#include <sys/socket.h>

namespace vmcred::supervise {

void LinkPump::accept_one() {
  if (socket_ || !listener_) return;
  socket_ = Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket_) return;
  unsent_ = {};
  sent_ = 0;
  session_.begin_stream();
}

short LinkPump::wanted() const {
  if (!socket_) return POLLIN;
  const bool output = sent_ < unsent_.size() || session_.has_output();
  return static_cast<short>(output ? POLLIN | POLLOUT : POLLIN);
}

Result<> LinkPump::read_all_there_is() {
  // Bounded, so that a guest that floods the port cannot keep the supervisor from everything else.
  constexpr int kRounds = 16;
  std::uint8_t buffer[16 * 1024];
  for (int round = 0; round < kRounds && socket_; ++round) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (n < 0 && errno != ECONNRESET) return fail_errno("read from the link");
    if (n <= 0) {
      session_.begin_stream();
      socket_ = Fd();
      return {};
    }
    session_.receive({buffer, static_cast<std::size_t>(n)});
  }
  return {};
}

Result<> LinkPump::write_what_fits() {
  while (socket_) {
    if (sent_ == unsent_.size()) {
      if (!session_.has_output()) return {};
      unsent_ = session_.take_output();
      sent_ = 0;
      continue;
    }
    const Bytes rest = unsent_.bytes().subspan(sent_);
    const ssize_t n = ::send(socket_.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (n < 0) {
      socket_ = Fd();
      return {};
    }
    sent_ += static_cast<std::size_t>(n);
  }
  return {};
}

Result<> LinkPump::pump() {
  accept_one();
  TRY(read_all_there_is());
  return write_what_fits();
}

}  // namespace vmcred::supervise
