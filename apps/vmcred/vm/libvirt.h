// Credentials for a vm that libvirt runs.
#pragma once

#include <string>

#include "base/result.h"
#include "declare/model.h"

namespace vmcred::app {

/// `<sysinfo type='fwcfg'>` (libvirt 6.5) with an entry for each credential: a secret as the path of its activated
/// file, which QEMU reads itself, a static value as text. Fails with `usage` for a name that fw_cfg cannot hold.
Result<std::string> libvirt_sysinfo(const declare::Declaration& declaration, const declare::Vm& vm);

}  // namespace vmcred::app
