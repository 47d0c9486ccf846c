// A QEMU command line that somebody else built, with our delivery added to it.
#pragma once

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::qemu {

/// argv[0] is qemu-system-ARCH or qemu-kvm.
bool recognises(const Foreign& foreign);

/// `vm` with the machine type, architecture, kernel and initrd of the command line, so that its plan fits. Fails with
/// `usage` for a machine type that vmcred does not know.
Result<declare::Vm> describe(const Foreign& foreign, declare::Vm vm);

/// Keeps every argument but for monitors: those on a unix socket become guards at the same path, others are refused.
/// Fails with `usage`, and a remedy, for what would conflict with the delivery.
Result<Launch> adopt(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan,
                     const Context& context);

}  // namespace vmcred::vmm::qemu
