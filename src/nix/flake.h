// What a flake on this disk is evaluated from: so that its outcome may be kept.
#pragma once

#include <optional>
#include <string>

#include "base/sha256.h"

namespace vmcred::nix {

inline constexpr std::size_t kMaxFlakeFiles = 16384;

/// The digest of the names and contents of all files below `folder`, a flake's. Of encrypted values (vars/…/secret,
/// sops/…/secret) only the names count: nothing that is read of a configuration depends on their bytes.
///
/// Nothing where more than those files decides: the folder has no flake.nix, its inputs are not pinned by a flake.lock,
/// it is part of a larger git repository, or has too many files.
std::optional<Digest> flake_digest(const std::string& folder);

/// "." and "/srv/infra" of a reference to a flake on this disk, absolute; empty for others (github:…, path:…).
std::string folder_of_flake(const std::string& reference);

}  // namespace vmcred::nix
