#include "supervise/notify.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "base/fd.h"

namespace vmcred::supervise {

Result<> Notifier::send(std::string_view state) const {
  if (name_.empty()) return {};
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (name_.size() >= sizeof address.sun_path || (name_[0] != '/' && name_[0] != '@')) {
    return fail(Errc::unavailable, "notify '{}': no such kind of socket", name_);
  }
  std::memcpy(address.sun_path, name_.data(), name_.size());
  if (name_[0] == '@') address.sun_path[0] = '\0';
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name_.size());
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("notify '{}'", name_);
  const auto* const raw = reinterpret_cast<const sockaddr*>(&address);  // NOLINT
  if (::sendto(socket.get(), state.data(), state.size(), MSG_NOSIGNAL, raw, length) < 0) {
    return fail_errno("notify '{}'", name_);
  }
  return {};
}

}  // namespace vmcred::supervise
