// kvmtool (lkvm): a command line, with the credentials in an overlay behind the initrd.
#pragma once

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::kvmtool {

/// The launch of `vm`. kvmtool has no SMBIOS, no fw_cfg and no API.
Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context);

}  // namespace vmcred::vmm::kvmtool
