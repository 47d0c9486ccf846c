// The operations of one secret on libcrypto alone: the limit that benches compare with.
#pragma once

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <cstdint>
#include <cstring>

#include "base/crypto.h"
#include "timing.h"

namespace vmcred::bench {

/// The operations of one file on libcrypto alone, everything fetched and allocated before the clock starts.
class Bare {
 public:
  Bare() {
    std::array<std::uint8_t, 32> bytes = {};
    random_bytes(bytes);
    identity_ = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, bytes.data(), bytes.size());
    std::size_t size = point_.size();
    check(EVP_PKEY_get_raw_public_key(identity_, point_.data(), &size) == 1);
  }
  void encrypt() {
    std::array<std::uint8_t, 32> ephemeral = {};
    std::array<std::uint8_t, 32> data_key = {};
    random_bytes(ephemeral);
    random_bytes(data_key);
    EVP_PKEY* const key =
        EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, ephemeral.data(), 32);  // base multiplication
    derive(key);
    EVP_PKEY_free(key);
    common(1);
  }
  void decrypt() {
    derive(identity_);
    common(0);
  }

 private:
  static void check(bool ok) {
    if (!ok) stop("libcrypto failed");
  }
  void derive(EVP_PKEY* key) {
    EVP_PKEY* const peer = EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, point_.data(), 32);
    EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new(key, nullptr);
    std::array<std::uint8_t, 32> shared = {};
    std::size_t size = shared.size();
    check(EVP_PKEY_derive_init(context) == 1 && EVP_PKEY_derive_set_peer_ex(context, peer, 0) == 1 &&
          EVP_PKEY_derive(context, shared.data(), &size) == 1);
    EVP_PKEY_CTX_free(context);
    EVP_PKEY_free(peer);
  }
  /// Three HKDFs (wrap, header, payload), one HMAC, two ChaCha20-Poly1305, two AES-256-GCM, one SHA-512.
  void common(int seal) {
    std::array<std::uint8_t, 128> in = {};
    std::array<std::uint8_t, 256> out = {};
    for (int i = 0; i < 3; ++i) hkdf(out);
    unsigned size = 0;
    check(EVP_Q_mac(nullptr, "HMAC", nullptr, "SHA256", nullptr, in.data(), 32, in.data(), 100, out.data(), 32,
                    nullptr) != nullptr);
    aead(chacha_, 12, in.data(), 16, out.data(), seal);
    aead(chacha_, 12, in.data(), 32, out.data(), seal);
    aead(gcm_, 32, in.data(), 44, out.data(), seal);
    check(EVP_Digest(in.data(), 44, out.data(), &size, sha512_, nullptr) == 1);
    aead(gcm_, 32, in.data(), 128, out.data(), seal);
  }
  void hkdf(std::array<std::uint8_t, 256>& out) {
    EVP_KDF_CTX* const context = EVP_KDF_CTX_new(hkdf_);
    std::array<char, 7> digest = {"SHA256"};
    const std::array<OSSL_PARAM, 5> parameters = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest.data(), 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, point_.data(), 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, point_.data(), 32),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, point_.data(), 8), OSSL_PARAM_construct_end()};
    check(EVP_KDF_derive(context, out.data(), 32, parameters.data()) == 1);
    EVP_KDF_CTX_free(context);
  }
  static void aead(EVP_CIPHER* cipher, std::size_t iv_size, const std::uint8_t* in, int in_size, std::uint8_t* out,
                   int seal) {
    static const std::array<std::uint8_t, 32> key = {};
    static const std::array<std::uint8_t, 32> iv = {};
    std::array<std::uint8_t, 16> tag = {};
    EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
    const std::array<OSSL_PARAM, 2> parameters = {OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &iv_size),
                                                  OSSL_PARAM_construct_end()};
    int size = 0;
    check(EVP_CipherInit_ex2(context, cipher, nullptr, nullptr, seal, parameters.data()) == 1);
    check(EVP_CipherInit_ex2(context, nullptr, key.data(), iv.data(), seal, nullptr) == 1);
    check(EVP_CipherUpdate(context, out, &size, in, in_size) == 1);
    if (seal == 0) check(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, tag.data()) == 1);
    const int verified = EVP_CipherFinal_ex(context, out, &size);  // opening zeros fails here, after the same work
    if (seal == 1) check(verified == 1 && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.data()) == 1);
    EVP_CIPHER_CTX_free(context);
  }

  EVP_CIPHER* chacha_ = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
  EVP_CIPHER* gcm_ = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  EVP_MD* sha512_ = EVP_MD_fetch(nullptr, "SHA512", nullptr);
  EVP_KDF* hkdf_ = EVP_KDF_fetch(nullptr, "HKDF", nullptr);
  EVP_PKEY* identity_ = nullptr;
  std::array<std::uint8_t, 32> point_ = {};
};

}  // namespace vmcred::bench
