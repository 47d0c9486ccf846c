// Passphrases (age v1, "The scrypt recipient type"). A passphrase stands alone in a file.
#pragma once

#include "age/keys.h"

namespace vmcred::age {

inline constexpr unsigned kUsualLogN = 18;    ///< about a second and 256 MiB
inline constexpr unsigned kLargestLogN = 22;  ///< 4 GiB

/// An empty passphrase or a work factor outside 1 … 22 is `usage`.
Result<RecipientPtr> passphrase_recipient(Secret passphrase, unsigned log_n = kUsualLogN);
/// Refuses files that ask for more work than 2^max_log_n: a file must not exhaust our memory.
Result<IdentityPtr> passphrase_identity(Secret passphrase, unsigned max_log_n = kUsualLogN);

}  // namespace vmcred::age
