#include "reach.h"

#include <linux/vm_sockets.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "contact.h"

namespace vmcred::guest {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kBetweenKnocks{100};
constexpr milliseconds kCallPatience{2000};   ///< until a host is taken for one of before
constexpr milliseconds kReplyPatience{3000};  ///< … and until that one has answered

milliseconds left(steady_clock::time_point end) {
  return std::max(std::chrono::duration_cast<milliseconds>(end - steady_clock::now()), milliseconds{0});
}

/// Empty where the port cannot be had: without root, or when another contact stands there.
Fd stand_at_guest_port() {
  Fd fd(::socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_vm address = {};
  address.svm_family = AF_VSOCK;
  address.svm_cid = VMADDR_CID_ANY;
  address.svm_port = link::kGuestPort;
  if (!fd || ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(fd.get(), 1) != 0)
    return {};  // NOLINT
  return fd;
}

/// The host's call; whoever else connects (a process of the guest, over the loopback) is sent away.
Fd take_call(const Fd& listener, milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  do {
    pollfd wait = {.fd = listener.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, static_cast<int>(left(end).count())) <= 0) continue;
    sockaddr_vm peer = {};
    socklen_t size = sizeof peer;
    Fd fd(
        ::accept4(listener.get(), reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));  // NOLINT
    if (fd && peer.svm_cid == VMADDR_CID_HOST) return fd;
  } while (steady_clock::now() < end);
  return {};
}

/// Knocks until the host calls. Empty: it does not, within `limit`.
Result<Fd> await_call(const link::Address& address, milliseconds limit, steady_clock::time_point last) {
  const auto end = steady_clock::now() + limit;
  Fd listener;
  do {
    TRY_LET(const Fd knock, open_port(address, left(last)));  // loads the modules too; carries nothing
    if (!listener) listener = stand_at_guest_port();
    if (!listener) return Fd();
    if (Fd call = take_call(listener, kBetweenKnocks)) return call;
  } while (steady_clock::now() < end);
  return Fd();
}

}  // namespace

Result<Reached> reach_host(const link::Address& address, const std::function<link::GuestSession()>& begin,
                           milliseconds limit) {
  const auto end = steady_clock::now() + limit;
  const bool serial = address.transport == link::Transport::serial;
  for (;;) {
    Fd port;
    if (!serial) {
      TRY_LET(port, await_call(address, std::min(kCallPatience, left(end)), end));
    }
    const bool sure = serial || port;
    if (!port) {
      TRY_LET(port, open_port(address, left(end)));
    }
    link::GuestSession session = begin();
    auto event = next_event(port, session, sure ? left(end) : std::min(kReplyPatience, left(end)));
    if (event) return Reached{.port = std::move(port), .session = std::move(session), .first = **std::move(event)};
    if (serial || steady_clock::now() >= end) return std::unexpected(std::move(event).error());
  }
}

}  // namespace vmcred::guest
