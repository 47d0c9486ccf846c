// A declaration of what a store holds, for repositories without one of ours (clan's): machines, generators and files
// are known from the tree, scripts are not, and who should read what is not either.
#pragma once

#include "base/result.h"
#include "declare/model.h"

namespace vmcred::store {

/// Whether `folder` holds a store: vars/ or sops/machines; or clan's other one, secrets/clan-vars.
[[nodiscard]] bool holds_store(const std::string& folder);

/// Machines from sops/machines and the values' owners; each generator with the files that are stored of it. Owners are
/// never united, for that one machine has a file, or reads it, says nothing of another: the first owner's generator
/// stands under its name, each further owner's under its rel_dir ("per-machine/web/ssh"). `deploy` says that the
/// machines of that owner read a secret; a shared one of which they do not all read counts as not deployed. All are
/// `foreign`: clan's rules apply to them, and their scripts are empty. A repository with clan's age store is
/// `unavailable`.
Result<declare::Declaration> inferred_declaration(const std::string& folder);

/// Whether a declaration was inferred: it grants nothing, so nobody's links may change by it.
[[nodiscard]] bool is_inferred(const declare::Declaration& declaration);

}  // namespace vmcred::store
