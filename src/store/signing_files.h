// What a person or a host keeps outside of every repository about signatures: whom to trust, the own key, what is
// exempt.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "age/ssh_key.h"
#include "age/trusted_signers.h"
#include "base/result.h"
#include "store/key_ring.h"

namespace vmcred::store {

/// Where a person's part of this is: $XDG_CONFIG_HOME/vmcred (default ~/.config/vmcred). "" without a home.
std::string signing_folder(const Environment& environment);

/// Whose signatures count for this person: `trusted-signers` there. Empty where there is no such file: then signatures
/// are neither made nor wanted. What others could have put there is `denied` (base/guarded_file.h).
Result<std::optional<age::TrustedSigners>> own_trusted_signers(const Environment& environment);
/// The same for one file, by its absolute path.
Result<std::optional<age::TrustedSigners>> read_trusted_signers(const std::string& path);

/// The key that this person signs with: `signing-key` there, an OpenSSH Ed25519 file without a passphrase. Empty where
/// there is none. A file that others may read is `denied`.
Result<std::optional<age::SshPrivateKey>> own_signing_key(const Environment& environment);

/// The projects of which no signatures are demanded: `unsigned-projects` there, one absolute path a line.
Result<std::set<std::string>> unsigned_projects(const Environment& environment);
/// Takes a project off that list. Whether it stood there.
Result<bool> forget_unsigned_project(const Environment& environment, const std::string& folder);

}  // namespace vmcred::store
