// ML-KEM-768 (FIPS 203), the post-quantum half of age's hybrid keys. No branch and no index depends on a secret.
//
// Our own for libcrypto 3.0 has none (docs/decisions/106-ml-kem.md); NIST's and CCTV's vectors are its tests.
#pragma once

#include <array>
#include <cstdint>

#include "base/randomness.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::ml_kem {

inline constexpr std::size_t kSeed = 64;  ///< d and z
inline constexpr std::size_t kEncapsulationKey = 1184;
inline constexpr std::size_t kCiphertext = 1088;
inline constexpr std::size_t kShared = 32;

/// The public half. Refuses with `invalid_data` what is no key: another size, coefficients beyond the modulus.
Result<> check_encapsulation_key(Bytes key);

struct Encapsulated {
  Secret shared;
  std::array<std::uint8_t, kCiphertext> ciphertext;
};
/// A new shared secret for a key that was checked. `message` is 32 random bytes.
Encapsulated encapsulate(Bytes key, Bytes message);

/// A private key, expanded once.
class DecapsulationKey {
 public:
  /// From its 64 secret bytes.
  explicit DecapsulationKey(Bytes seed);
  [[nodiscard]] const std::array<std::uint8_t, kEncapsulationKey>& encapsulation_key() const { return public_; }
  /// The shared secret of a ciphertext of kCiphertext bytes. One that was made for another key, or changed, gives a
  /// secret that nobody knows ("implicit rejection").
  [[nodiscard]] Secret decapsulate(Bytes ciphertext) const;

 private:
  Secret expanded_;  ///< the private vector as ByteEncode12 writes it, then z
  std::array<std::uint8_t, kEncapsulationKey> public_ = {};
};

}  // namespace vmcred::ml_kem
