// The system calls that a script may not make, as a program for the kernel (seccomp).
#pragma once

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::generate {

/// A memory file with the filter, at its start, for bubblewrap's --seccomp. Everything a build or a key tool needs is
/// allowed; tracing, kernel keyrings, mounts, new user namespaces, io_uring, BPF, modules, memory that no
/// limit counts (memfd, System V) and sockets of other families than unix, IP and netlink are refused.
Result<Fd> call_filter();

}  // namespace vmcred::generate
