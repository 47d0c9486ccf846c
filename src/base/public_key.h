// Ed25519 and RSA: what SSH keys are made of. Like crypto.h a door to libcrypto, bytes in and bytes out.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/crypto.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred {

using Ed25519Point = std::array<std::uint8_t, 32>;
using Ed25519Signature = std::array<std::uint8_t, 64>;

/// `seed` has 32 bytes (RFC 8032); asserted.
[[nodiscard]] Ed25519Point ed25519_public(Bytes seed);
[[nodiscard]] Ed25519Signature ed25519_sign(Bytes seed, Bytes message);
[[nodiscard]] bool ed25519_verify(const Ed25519Point& key, Bytes message, Bytes signature);

/// The X25519 form of a signing key. `invalid_data` when the bytes are no point of the curve.
Result<X25519Point> x25519_of(const Ed25519Point& key);
/// The X25519 secret of a seed: the first half of its SHA-512.
[[nodiscard]] Secret x25519_of_seed(Bytes seed);

/// An RSA key, public or private.
class RsaKey {
 public:
  struct Public {
    std::string modulus;   ///< big-endian, without leading zeros
    std::string exponent;  ///< the same
  };
  static Result<RsaKey> from(const Public& key);
  /// All numbers big-endian, as an OpenSSH key file holds them.
  static Result<RsaKey> from(const Public& key, Bytes private_exponent, Bytes inverse, Bytes prime_p, Bytes prime_q);
  /// Takes an EVP_PKEY; for public_key.cc alone.
  explicit RsaKey(void* key);
  RsaKey(RsaKey&& other) noexcept;
  RsaKey& operator=(RsaKey&& other) noexcept;
  ~RsaKey();

  [[nodiscard]] Public public_part() const;
  [[nodiscard]] unsigned bits() const;
  /// RSA-OAEP with SHA-256 for both hashes; as long as the modulus. Its randomness is libcrypto's own.
  [[nodiscard]] Result<std::string> oaep_seal(std::string_view label, Bytes plaintext) const;
  /// `mismatch` when it was sealed for another key or label.
  [[nodiscard]] Result<Secret> oaep_open(std::string_view label, Bytes ciphertext) const;

 private:
  void* key_ = nullptr;  // EVP_PKEY
};

/// A private key in a PKCS#1 or PKCS#8 PEM file: an Ed25519 seed or an RSA key. A passphrase-protected file is
/// `denied`, other kinds are `invalid_data`.
Result<std::variant<Secret, RsaKey>> read_pem_private_key(std::string_view text);

}  // namespace vmcred
