// crosvm: a command line, with the credentials in an overlay behind the initrd.
#pragma once

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::crosvm {

/// The launch of `vm`. crosvm reads the initrd while it starts and does not say when it has; the supervisor wipes at
/// the end. OEM strings of crosvm would stand on its command line, and its fw_cfg has no device that Linux finds.
Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context);

}  // namespace vmcred::vmm::crosvm
