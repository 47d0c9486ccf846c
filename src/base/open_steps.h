// The insides of open_beneath: without openat2, and without words for what is often not there.
#pragma once

#include "base/fd.h"

namespace vmcred {

/// What open_beneath does where openat2 is not to be had: one component after the other. systemd refuses openat2 (with
/// ENOSYS) to units that have RestrictSUIDSGID=, because a seccomp filter cannot see the mode in it. Sets errno too.
Result<Fd> open_beneath_in_steps(const Fd& folder, const std::string& path, int flags);

/// open_beneath that makes no error text: an empty Fd and the cause in errno.
Fd try_open_beneath(const Fd& folder, const std::string& path, int flags);

}  // namespace vmcred
