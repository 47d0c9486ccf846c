// Requests to Firecracker's API that a declared and an adopted vm have in common.
#pragma once

#include <string>

#include "base/json.h"
#include "vmm/launch.h"

namespace vmcred::vmm::firecracker {

Request put(std::string path, const Json& body);

/// PUT /boot-source: `source` with `line` as boot_args and the plan's words of the kernel line behind it.
Request put_boot_source(Json source, const std::string& line, const credential::Plan& plan);

/// How Firecracker is asked for its version; InstanceStart as the last request; control-alt-delete is Firecracker's
/// power key (x86_64 only).
void add_start_and_stop(Launch& launch, const declare::Vm& vm);

/// A guard at `path`: versions, machine and vm configuration (without boot_args, which hold the link's token), the
/// power key, pause and resume, balloon. Refused: snapshots unless `context` exposes them, and MMDS.
void add_guard(Launch& launch, std::string path, const Context& context);

}  // namespace vmcred::vmm::firecracker
