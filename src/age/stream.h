// The payload of an age file (age v1, "Payload"): nonce, then 64 KiB chunks sealed one by one.
#pragma once

#include <string>

#include "base/randomness.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::age {

inline constexpr std::size_t kPayloadNonce = 16;
inline constexpr std::size_t kChunk = 64 * 1024;

/// The size of what seal_payload() appends.
[[nodiscard]] std::size_t payload_size(std::size_t plaintext_size);

/// Appends nonce and chunks to `out`.
void seal_payload(std::string& out, Bytes file_key, Bytes plaintext, Randomness& randomness);

/// The plaintext, once the last chunk was verified. A missing nonce or an impossible length is `invalid_data`, a wrong
/// tag (also: a missing or moved chunk) `mismatch`.
Result<Secret> open_payload(Bytes file_key, std::string_view payload);

}  // namespace vmcred::age
