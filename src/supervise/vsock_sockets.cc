#include "supervise/vsock_sockets.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "credential/plan.h"
#include "supervise/unix_socket.h"
#include "supervise/vmm_process.h"

namespace vmcred::supervise {
namespace {

bool is_socket(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

/// Nobody listens at what a dead process left.
Result<bool> is_served(const std::string& path) {
  TRY_LET(const sockaddr_un address, unix_address(path));
  const Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail_errno("make a socket");
  return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
         errno == EAGAIN;  // NOLINT
}

std::string port_socket(const std::string& path, unsigned port) { return fmt::format("{}_{}", path, port); }

void remove_socket(const std::string& path) {
  if (!is_socket(path)) return;
  const auto served = is_served(path);
  if (served && !*served) (void)::unlink(path.c_str());  // somebody may have removed it meanwhile
}

}  // namespace

Result<Fd> listen_on_vsock_port(const std::string& path, unsigned port) {
  TRY(clear_vsock_socket(port_socket(path, port)));
  return listen_on(port_socket(path, port));
}

Result<> clear_vsock_socket(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) return {};
  if (!S_ISSOCK(status.st_mode)) {
    return hint(fail(Errc::usage, "'{}' cannot become the socket of the vm's vsock: something else is there", path),
                "give the vsock another path");
  }
  TRY_LET(const bool served, is_served(path));
  if (served) {
    return hint(fail(Errc::unavailable, "another process serves the socket '{}' of the vm's vsock", path),
                fmt::format("end it ('ss -xlp' names it), or give the vsock another path"));
  }
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return fail_errno("remove the old socket '{}'", path);
  return {};
}

VsockSockets::~VsockSockets() {
  if (path_.empty()) return;
  remove_socket(path_);
  for (const unsigned port : {kLinkPort, credential::kNotifyPort}) remove_socket(port_socket(path_, port));
}

}  // namespace vmcred::supervise
