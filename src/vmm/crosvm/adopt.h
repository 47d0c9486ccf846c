// A crosvm command line that somebody else built, with our overlay behind its initrd.
#pragma once

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::crosvm {

bool recognises(const Foreign& foreign);

/// `vm` with the initrd of the command line. Fails with `usage`, and a remedy, for what would conflict: credentials
/// among the OEM strings or fw_cfg items, where everybody reads them, and a file of options, which cannot be checked.
Result<declare::Vm> describe(const Foreign& foreign, declare::Vm vm);

/// Every argument is kept but for the initrd, which is read from a memory file: the same bytes with the overlay behind.
/// crosvm's control socket (--socket) stays as it is; it is crosvm's own, and only for its uid.
Result<Launch> adopt(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan,
                     const Context& context);

}  // namespace vmcred::vmm::crosvm
