// Unix sockets with a name: private, and named in every message.
#pragma once

#include <sys/un.h>

#include <string>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::supervise {

/// The address of a path; one that is too long for a socket is `usage`.
Result<sockaddr_un> unix_address(const std::string& path);

/// Listens on `path` (mode 0600), in the place of what an earlier run left there. Non-blocking.
Result<Fd> listen_on(const std::string& path, int backlog = 16);

/// Whether the process at the other end is root's or our own uid's.
bool peer_may_ask(const Fd& socket);

}  // namespace vmcred::supervise
