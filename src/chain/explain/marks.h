// Findings where they belong: at the step of the chain that they are about.
#pragma once

#include <vector>

#include "chain/explain/picture.h"

namespace vmcred::chain::explain {

/// Hangs every finding onto the chains, the vm or the picture. Findings that concern only vms outside the picture are
/// left out when the picture is of one vm.
void place_findings(const declare::Declaration& declaration, std::vector<Finding> findings, Picture& picture);

}  // namespace vmcred::chain::explain
