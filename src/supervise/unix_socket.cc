#include "supervise/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <cstring>

namespace vmcred::supervise {

Result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return hint(fail(Errc::usage, "the path '{}' is too long for a socket ({} bytes, at most {})", path, path.size(),
                     sizeof address.sun_path - 1),
                "choose a shorter runtime folder");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Result<Fd> listen_on(const std::string& path, int backlog) {
  TRY_LET(const sockaddr_un address, unix_address(path));
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno("make a socket");
  (void)::unlink(path.c_str());  // none there is fine
  // The folder is private already, so nobody can come between bind and chmod.
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {  // NOLINT
    return fail_errno("make the socket '{}'", path);
  }
  if (::chmod(path.c_str(), 0600) != 0) return fail_errno("protect the socket '{}'", path);
  if (::listen(socket.get(), backlog) != 0) return fail_errno("listen on '{}'", path);
  return socket;
}

bool peer_may_ask(const Fd& socket) {
  ucred peer = {};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  return peer.uid == 0 || peer.uid == ::geteuid();
}

}  // namespace vmcred::supervise
