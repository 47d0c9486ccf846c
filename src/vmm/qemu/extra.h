// Arguments that the user adds to QEMU's command line: which of them would undo what the supervisor relies on.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "vmm/allowed_options.h"

namespace vmcred::vmm::qemu {

/// Fails with `usage` for the first option that is unknown and not allowed, or conflicts: it would deliver credentials
/// another way, start the vm before its values are wiped, open the guest's memory to others, or take the console or the
/// exit status away.
Result<> check_extra(std::span<const std::string> words, const AllowedOptions& allowed = {});

}  // namespace vmcred::vmm::qemu
