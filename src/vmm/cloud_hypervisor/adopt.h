// A cloud-hypervisor command line that somebody else built, as requests to its API with our delivery in them.
#pragma once

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::cloud_hypervisor {

bool recognises(const Foreign& foreign);

/// `vm` with the kernel, initrd, memory and OEM strings of the command line. Strings that hold a credential are
/// refused: they stand where everybody reads them. (`vmm.notify_socket`, which is no secret, is kept.)
Result<declare::Vm> describe(const Foreign& foreign, declare::Vm vm);

/// The same vm by vm.create, vm.add-net for networks whose descriptors are inherited, and vm.boot; the path of
/// --api-socket becomes a guard. An option that has no translation is `usage` and named.
Result<Launch> adopt(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan,
                     const Context& context);

}  // namespace vmcred::vmm::cloud_hypervisor
