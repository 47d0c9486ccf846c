#include "supervise/guest_call.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

#include <fmt/format.h>

#include "link/address.h"

namespace vmcred::supervise {
namespace {

constexpr std::size_t kMaxAnswer = 32;  // "OK 4294967295\n"

}  // namespace

void GuestCall::begin(SteadyTime now) {
  wanted_ = false;
  next_ = now + kPause;
  limit_ = now + kPatience;
  said_.clear();
  sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = {}};
  if (socket_.size() >= sizeof address.sun_path) return;
  socket_.copy(address.sun_path, socket_.size());
  Fd line(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Not there yet, or busy: the next knock tries again.
  if (!line || ::connect(line.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
    return;  // NOLINT
  const std::string words = fmt::format("CONNECT {}\n", link::kGuestPort);
  if (::send(line.get(), words.data(), words.size(), MSG_NOSIGNAL | MSG_DONTWAIT) != static_cast<ssize_t>(words.size()))
    return;
  line_ = std::move(line);
}

std::optional<bool> GuestCall::put_through() {
  char byte = 0;
  while (true) {
    const ssize_t n = ::recv(line_.get(), &byte, 1, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
    if (n <= 0) return false;  // nobody stands there
    if (byte == '\n') return said_.starts_with("OK ");
    said_ += byte;
    if (said_.size() > kMaxAnswer) return false;
  }
}

std::optional<Fd> GuestCall::step(SteadyTime now, bool needed) {
  if (socket_.empty()) return std::nullopt;
  if (!needed) {
    line_ = Fd();
    wanted_ = false;
    return std::nullopt;
  }
  if (!line_ && wanted_ && now >= next_) begin(now);
  if (!line_) return std::nullopt;
  const std::optional<bool> through = put_through();
  if (through && *through) return std::move(line_);
  if (through || now >= limit_) line_ = Fd();
  return std::nullopt;
}

SteadyTime GuestCall::deadline() const {
  if (line_) return limit_;
  return wanted_ ? next_ : SteadyTime::max();
}

void GuestCall::add_to(std::vector<pollfd>& polled) const {
  if (line_) polled.push_back({.fd = line_.get(), .events = POLLIN, .revents = 0});
}

}  // namespace vmcred::supervise
