// The options of Firecracker's command line that pass, of command lines and of a declaration's extra arguments.
#pragma once

#include "vmm/option_list.h"

namespace vmcred::vmm::firecracker {

/// Fails with `usage` for the first word that is neither known nor allowed, or is the supervisor's to say.
Result<> check_options(std::span<const std::string> words, const AllowedOptions& allowed, Origin origin);

}  // namespace vmcred::vmm::firecracker
