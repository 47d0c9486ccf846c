#include "supervise/link_pump.h"

#include <sys/socket.h>

#include <cerrno>

namespace vmcred::supervise {

void LinkPump::count_caller(SteadyTime now) {
  if (now - window_ > kFloodWindow) {
    window_ = now;
    counted_ = 0;
  }
  flooded_ = flooded_ || ++counted_ == kFlood;
}

/// The end of a call to the guest is a caller like others, but for its place.
void LinkPump::call_guest(SteadyTime now) {
  if (auto line = call_.step(now, !session_.open() && !called_)) {
    called_ = std::make_unique<Caller>();
    Caller& caller = *called_;
    caller.socket = *std::move(line);
    caller.inbox.seek(std::string(link::kHelloMagic), link::Hello::kSize);
  }
  if (called_ && !hear(*called_)) called_.reset();
}

void LinkPump::accept_callers(SteadyTime now) {
  for (std::size_t round = 0; listener_ && round < kMaxCallers; ++round) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    call_.knocked();
    count_caller(now);
    if (callers_.size() == kMaxCallers) callers_.pop_front();
    Caller& caller = callers_.emplace_back();
    caller.socket = std::move(socket);
    caller.inbox.seek(std::string(link::kHelloMagic), link::Hello::kSize);
  }
}

bool LinkPump::hear(Caller& caller) {
  std::uint8_t buffer[4096];
  for (;;) {
    const ssize_t n = ::recv(caller.socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (n <= 0) return false;
    Bytes rest(buffer, static_cast<std::size_t>(n));
    const auto hello = caller.inbox.next(rest);
    if (hello && *hello) {
      if (const auto refusal = session_.screen(**hello)) {
        (void)::send(caller.socket.get(), refusal->data(), refusal->size(),
                     MSG_DONTWAIT | MSG_NOSIGNAL);  // or it hears nothing
        return false;
      }
      socket_ = std::move(caller.socket);
      counted_ = 0;
      unsent_ = {};
      sent_ = 0;
      session_.begin_stream();
      session_.receive(**hello);
      session_.receive(rest);
      return false;
    }
    caller.said += static_cast<std::size_t>(n);
    if (caller.said > kMaxCallerBytes) return false;
  }
}

void LinkPump::hear_callers() {
  std::erase_if(callers_, [this](Caller& caller) { return !hear(caller); });
}

void LinkPump::add_to(std::vector<pollfd>& polled) const {
  const auto add = [&polled](const Fd& fd, short events) {
    if (fd) polled.push_back({.fd = fd.get(), .events = events, .revents = 0});
  };
  const bool output = sent_ < unsent_.size() || session_.has_output();
  add(socket_, static_cast<short>(output ? POLLIN | POLLOUT : POLLIN));
  add(listener_, POLLIN);
  for (const Caller& caller : callers_) add(caller.socket, POLLIN);
  if (called_) add(called_->socket, POLLIN);
  call_.add_to(polled);
}

Result<> LinkPump::receive(SteadyTime now) {
  accept_callers(now);
  hear_callers();
  call_guest(now);
  // Bounded, so that a guest that floods the port cannot keep the supervisor from everything else.
  constexpr int kRounds = 16;
  std::uint8_t buffer[16 * 1024];
  for (int round = 0; round < kRounds && socket_; ++round) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (n < 0 && errno != ECONNRESET) return fail_errno("read from the link");
    if (n <= 0) {
      hang_up();
      return {};
    }
    session_.receive({buffer, static_cast<std::size_t>(n)});
  }
  return {};
}

Result<> LinkPump::send() {
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
      hang_up();
      return {};
    }
    sent_ += static_cast<std::size_t>(n);
  }
  return {};
}

void LinkPump::hang_up() {
  session_.begin_stream();
  socket_ = Fd();
}

}  // namespace vmcred::supervise
