// open_beneath without openat2.
#pragma once

#include "base/fd.h"

namespace vmcred {

/// What open_beneath does where openat2 is not to be had: one component after the other. systemd refuses openat2 (with
/// ENOSYS) to units that have RestrictSUIDSGID=, because a seccomp filter cannot see the mode in it.
Result<Fd> open_beneath_in_steps(const Fd& folder, const std::string& path, int flags);

}  // namespace vmcred
