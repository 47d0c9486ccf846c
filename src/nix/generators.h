// The generators of a Nix declaration alone: its vms may load what is to be generated first, and not evaluate before
// that.
#pragma once

#include "nix/evaluate.h"

namespace vmcred::nix {

/// As evaluate() of `file`, or evaluate_flake() where settings.flake names one, with no vms.
Result<Evaluation> evaluate_generators(const std::string& file, const Settings& settings);

}  // namespace vmcred::nix
