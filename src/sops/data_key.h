// The data key of a sops file: wrapped once for each recipient as an armored age file of its own.
#pragma once

#include <span>
#include <vector>

#include "age/keys.h"
#include "sops/sops.h"

namespace vmcred::sops {

/// One entry a recipient, sorted by recipient; a recipient given twice counts once. None is `usage`.
Result<std::vector<AgeEntry>> wrap_data_key(Bytes data_key, std::span<const age::RecipientPtr> recipients,
                                            Randomness& randomness);

/// The entry that belongs to one of the identities is taken at once; only where none says so, each is tried with each.
/// `denied` when no identity opens any, also when there are only entries of kinds that we do not read.
Result<Secret> unwrap_data_key(const File& file, std::span<const age::IdentityPtr> identities);

/// The same for many files, one result each: a plugin is started once for all of them.
std::vector<Result<Secret>> unwrap_data_keys(std::span<const File* const> files,
                                             std::span<const age::IdentityPtr> identities);

}  // namespace vmcred::sops
