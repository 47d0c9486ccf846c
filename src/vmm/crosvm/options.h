// The options of `crosvm run` that pass, of command lines and of a declaration's extra arguments.
#pragma once

#include "vmm/option_list.h"

namespace vmcred::vmm::crosvm {

/// Fails with `usage` for the first word that is neither known nor allowed, or opens the guest's memory to others.
Result<> check_options(std::span<const std::string> words, const AllowedOptions& allowed, Origin origin);

}  // namespace vmcred::vmm::crosvm
