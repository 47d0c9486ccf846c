// cloud-hypervisor: started empty on an inherited API socket, then told its vm in one request, so that no credential
// ever stands on its command line.
#pragma once

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::cloud_hypervisor {

/// The launch of `vm`: a command line that holds only the socket, and the requests vm.create and vm.boot. Fails with
/// `usage` where the declaration asks for what cloud-hypervisor has not, and with `unavailable` without KVM.
Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context);

}  // namespace vmcred::vmm::cloud_hypervisor
