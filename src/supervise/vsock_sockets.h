// The unix sockets of a vm's vsock: PATH, which the VMM makes, and PATH_PORT, at which we listen. VMMs bind PATH anew
// and do not start where it is: a VMM that was killed leaves it (cloud-hypervisor v53, Firecracker v1.16).
#pragma once

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::supervise {

/// Removes the socket that an earlier life left at `path`. Refused: something that is no socket, and a socket at which
/// somebody listens.
Result<> clear_vsock_socket(const std::string& path);

/// The socket to which a guest's connection to the host's vsock port `port` leads. The same is refused there.
Result<Fd> listen_on_vsock_port(const std::string& path, unsigned port);

/// At its end all of them are gone, where they are sockets and nobody serves them (what was refused above stays).
class VsockSockets {
 public:
  explicit VsockSockets(std::string path) : path_(std::move(path)) {}
  ~VsockSockets();
  VsockSockets(const VsockSockets&) = delete;
  VsockSockets& operator=(const VsockSockets&) = delete;

 private:
  std::string path_;
};

}  // namespace vmcred::supervise
