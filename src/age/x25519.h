// X25519 recipients and identities (age v1, "The X25519 recipient type"): the usual age key.
#pragma once

#include "age/keys.h"
#include "base/crypto.h"

namespace vmcred::age {

inline constexpr std::string_view kX25519RecipientPrefix = "age";
inline constexpr std::string_view kX25519IdentityPrefix = "age-secret-key-";

Result<RecipientPtr> parse_x25519_recipient(std::string_view text);
Result<IdentityPtr> parse_x25519_identity(std::string_view text);
/// An identity from its 32 bytes, wherever they come from.
Result<IdentityPtr> x25519_identity(Bytes secret);

/// "age1…"
std::string x25519_recipient_text(const X25519Point& point);

/// Seals the file key the way all recipient types of age v1 do: ChaCha20-Poly1305 under a key used once, zero nonce.
std::string seal_file_key(Bytes wrap_key, Bytes file_key);
/// `mismatch` when it is for another key. The body's size must have been checked before (partitioning oracles).
Result<Secret> open_file_key(Bytes wrap_key, std::string_view body);
inline constexpr std::size_t kSealedFileKey = kFileKeySize + 16;

}  // namespace vmcred::age
