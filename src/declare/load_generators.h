// The generators of a Nix declaration whose vms do not evaluate yet.
#pragma once

#include <string>

#include "declare/load.h"

namespace vmcred::declare {

/// As load_nix_leniently, with no vms.
Result<Reading> load_generators(const std::string& file, const std::string& folder, nix::Settings settings);

}  // namespace vmcred::declare
