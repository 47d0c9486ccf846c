// The Nix front end: an evaluated module file as the neutral tree, and TOML laid over it.
#pragma once

#include <string>

#include "declare/reader.h"
#include "declare/tree.h"
#include "nix/evaluate.h"

namespace vmcred::declare {

/// Evaluates `file` (or settings.flake) for the project in `folder`. Marks stand where nix told a place; below those
/// they are inherited. The files that places name are added to `files`.
Result<Node> nix_tree(const std::string& file, const std::string& folder, nix::Settings settings,
                      std::vector<std::string>& files);

/// `above` laid over `below`: tables are joined, everything else of `above` wins.
Node laid_over(Node below, Node above);

}  // namespace vmcred::declare
