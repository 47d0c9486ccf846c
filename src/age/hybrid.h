// Post-quantum recipients and identities (age 1.3, "The mlkem768x25519 recipient type"): ML-KEM-768 with X25519 under
// HPKE.
#pragma once

#include "age/keys.h"

namespace vmcred::age {

/// "age1pq1…", which would also pass for a plugin's key.
[[nodiscard]] bool is_hybrid_recipient(std::string_view text);
Result<RecipientPtr> parse_hybrid_recipient(std::string_view text);
/// "AGE-SECRET-KEY-PQ-1…"
Result<IdentityPtr> parse_hybrid_identity(std::string_view text);

/// A new key of this kind.
KeyPair generate_hybrid_key_pair(Randomness& randomness = kernel_randomness());

}  // namespace vmcred::age
