// Static credentials among the OEM strings of a command line that somebody else built.
#pragma once

#include <string>

#include "base/result.h"
#include "declare/model.h"

namespace vmcred::vmm::cloud_hypervisor {

/// Adds a string of `--platform oem_strings=` to the vm: a credential as a static one of its own (the receipt then
/// covers it), any other string, and the address of a runner's notify socket, as it is. Refused: a credential whose
/// value looks like a secret or whose name says so, unless the declaration has the same one, and one that systemd would
/// not read.
Result<> take_over(declare::Vm& vm, const std::string& text);

}  // namespace vmcred::vmm::cloud_hypervisor
