// Running a program that reaches no network: what somebody wrote for nix to evaluate may read any file of ours, so it
// must not be able to send one away.
#pragma once

#include "base/process.h"
#include "base/result.h"

namespace vmcred::nix {

/// As run(), but the program and all that it starts can make no socket, of whatever family, and gain no rights by a
/// set-user-ID program (seccomp(2), PR_SET_NO_NEW_PRIVS). `unavailable` where the kernel has no such filter.
Result<Output> run_without_network(const Command& command, const RunOptions& options);

}  // namespace vmcred::nix
