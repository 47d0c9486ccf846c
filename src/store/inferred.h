// A declaration of what a store holds, for repositories without one of ours (clan's): machines, generators and files are
// known from the tree, scripts are not.
#pragma once

#include "base/result.h"
#include "declare/model.h"

namespace vmcred::store {

/// Whether `folder` holds a store: vars/ or sops/machines.
[[nodiscard]] bool holds_store(const std::string& folder);

/// Machines from sops/machines and the values' owners; each generator with the files that are stored of it. They are
/// `foreign`: clan's rules apply to them, and their scripts are empty.
Result<declare::Declaration> inferred_declaration(const std::string& folder);

}  // namespace vmcred::store
