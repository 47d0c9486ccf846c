// The one door to libcrypto: what age, sops and signatures need, as bytes in and bytes out.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred {

/// Fills with bytes from the kernel (getrandom). Aborts where the kernel has none.
void random_bytes(WritableBytes out);
Secret random_secret(std::size_t size);

[[nodiscard]] std::array<std::uint8_t, 64> sha512(std::initializer_list<Bytes> parts);

/// A running SHA-512, for digests over many leaves.
class Sha512 {
 public:
  Sha512();
  ~Sha512();
  Sha512(const Sha512&) = delete;
  Sha512& operator=(const Sha512&) = delete;
  void update(Bytes bytes);
  [[nodiscard]] std::array<std::uint8_t, 64> finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

using X25519Point = std::array<std::uint8_t, 32>;

/// An X25519 private key (RFC 7748). Holds the key ready for use: making one costs a base multiplication, so keep it.
class X25519Key {
 public:
  /// From 32 secret bytes (clamped by the algorithm itself); another length is `invalid_data`.
  static Result<X25519Key> from(Bytes secret);
  static X25519Key generate();
  X25519Key(X25519Key&&) noexcept;
  X25519Key& operator=(X25519Key&&) noexcept;
  ~X25519Key();
  [[nodiscard]] const X25519Point& point() const { return point_; }
  [[nodiscard]] Secret secret() const;
  /// The shared secret with `other`; a low-order point is `invalid_data`.
  [[nodiscard]] Result<Secret> agree(const X25519Point& other) const;

 private:
  X25519Key() = default;
  void* key_ = nullptr;  // EVP_PKEY
  X25519Point point_ = {};
};

using Nonce12 = std::array<std::uint8_t, 12>;

/// ChaCha20-Poly1305 (RFC 8439) without associated data; the 16-byte tag follows the ciphertext. `key` is 32 bytes.
/// `out` has room for plaintext + 16.
void chacha_seal(Bytes key, const Nonce12& nonce, Bytes plaintext, WritableBytes out);
/// Opens into `out` (ciphertext size - 16); a wrong tag is `mismatch` and `out` is wiped.
Result<> chacha_open(Bytes key, const Nonce12& nonce, Bytes ciphertext, WritableBytes out);

/// AES-GCM with the key length deciding (16, 24 or 32 bytes) and an IV of any length (sops uses 32 bytes).
struct Sealed {
  std::string ciphertext;
  std::array<std::uint8_t, 16> tag;
};
Sealed aes_gcm_seal(Bytes key, Bytes iv, Bytes associated, Bytes plaintext);
/// A wrong tag is `mismatch`; nothing is released.
Result<Secret> aes_gcm_open(Bytes key, Bytes iv, Bytes associated, Bytes ciphertext, Bytes tag);

/// scrypt (RFC 7914) with r = 8, p = 1, N = 2^log_n, 32 bytes out. Memory is 1 KiB * N. log_n above 22 is `usage`.
Result<Secret> scrypt(Bytes password, Bytes salt, unsigned log_n);

}  // namespace vmcred
