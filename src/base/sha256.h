// SHA-256 and what is built on it alone: HMAC and HKDF. Small enough for the guest tool (no EVP).
#pragma once

#include <array>
#include <cstdint>

#include "base/secret.h"

namespace vmcred {

using Digest = std::array<std::uint8_t, 32>;

[[nodiscard]] Digest sha256(Bytes bytes);

/// HMAC-SHA-256 (RFC 2104) over the concatenation of `parts`.
[[nodiscard]] Digest hmac_sha256(Bytes key, std::initializer_list<Bytes> parts);

/// HKDF-SHA-256 (RFC 5869), at most 255 * 32 bytes.
[[nodiscard]] Secret hkdf_sha256(Bytes key_material, Bytes salt, Bytes info, std::size_t length = 32);

}  // namespace vmcred
