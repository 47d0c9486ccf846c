// Firecracker: started empty on an API socket in the vm's private folder, then told its vm request by request.
#pragma once

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::firecracker {

/// The launch of `vm`. Credentials come by an overlay behind the initrd, by reference, or (static ones and the link's
/// token) on the kernel line; never by MMDS, which every process of the guest can read at any time.
Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context);

}  // namespace vmcred::vmm::firecracker
