// The age v1 format (C2SP "age"): encrypt to recipients, decrypt with identities. Whole values, in memory.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "age/keys.h"
#include "base/randomness.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::age {

/// Encrypts to one or more recipients.
///
/// Fails with `usage` when there is no recipient or when they may not share a file (a passphrase stands alone).
///
///     TRY_LET(const RecipientPtr recipient, parse_recipient("age1…"));
///     TRY_LET(const std::string file, encrypt({&recipient, 1}, value.bytes()));
Result<std::string> encrypt(std::span<const RecipientPtr> recipients, Bytes plaintext,
                            Randomness& randomness = kernel_randomness());

/// The same in PEM-like text form.
Result<std::string> encrypt_armored(std::span<const RecipientPtr> recipients, Bytes plaintext,
                                    Randomness& randomness = kernel_randomness());

/// Decrypts a binary or armored file. Nothing is released before the last byte is authenticated.
///
/// `denied`: no identity matches. `invalid_data`: not an age file. `mismatch`: changed since it was written.
Result<Secret> decrypt(std::span<const IdentityPtr> identities, std::string_view file);

/// The same for many files, one result each: a plugin is started once for all of them (one PIN), after the native keys.
std::vector<Result<Secret>> decrypt_all(std::span<const IdentityPtr> identities,
                                        std::span<const std::string_view> files);

/// The middle of it: the file key out of a header's stanzas. `denied`: no identity matches; `invalid_data`: a stanza of
/// a known kind is malformed, or a passphrase stands beside others.
Result<Secret> unwrap_file_key(std::span<const IdentityPtr> identities, std::span<const Stanza> stanzas);

}  // namespace vmcred::age
