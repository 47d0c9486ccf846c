// A Firecracker command line that somebody else built: its configuration file becomes requests to the API, so that our
// delivery can stand among them.
#pragma once

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::firecracker {

bool recognises(const Foreign& foreign);

/// The path that --config-file names.
std::string config_file(const Foreign& foreign);

/// `vm` with the kernel, initrd and memory of the configuration file. Fails with `usage` where there is none: a vm that
/// somebody else describes by the API cannot be adopted.
Result<declare::Vm> describe(const Foreign& foreign, declare::Vm vm);

/// Every other argument is kept; the path of --api-sock becomes a guard. A section of the configuration that has no
/// request is `usage` and named.
Result<Launch> adopt(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan,
                     const Context& context);

}  // namespace vmcred::vmm::firecracker
