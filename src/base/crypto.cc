#include "base/crypto.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "base/die.h"
#include "base/randomness.h"

namespace vmcred {
namespace {

constexpr std::size_t kTag = 16;

/// libcrypto fails here only when memory is exhausted or the library is broken: nothing a caller could do.
void must(bool ok) {
  if (!ok) die("libcrypto failed", "it does so only without memory: see 'ulimit -a' and MemoryMax= of the unit");
}

int int_size(std::size_t size) {
  must(size <= 0x7fffffff);
  return static_cast<int>(size);
}

/// What libcrypto looks up by name, looked up once: a fetch costs more than a short operation.
struct Algorithms {
  EVP_CIPHER* chacha;
  std::array<EVP_CIPHER*, 3> aes_gcm;  // 128, 192, 256
  EVP_MD* sha512;

  Algorithms() {
    // No openssl.cnf: a configuration file or $OPENSSL_CONF must not choose our algorithms or load code into us.
    must(OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, nullptr) == 1);
    chacha = EVP_CIPHER_fetch(nullptr, "ChaCha20-Poly1305", nullptr);
    aes_gcm = {EVP_CIPHER_fetch(nullptr, "AES-128-GCM", nullptr), EVP_CIPHER_fetch(nullptr, "AES-192-GCM", nullptr),
               EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)};
    sha512 = EVP_MD_fetch(nullptr, "SHA512", nullptr);
    must(chacha != nullptr && aes_gcm[0] != nullptr && aes_gcm[1] != nullptr && aes_gcm[2] != nullptr &&
         sha512 != nullptr);
  }
};

const Algorithms& algorithms() {
  static const Algorithms instance;
  return instance;
}

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using CipherContext = std::unique_ptr<EVP_CIPHER_CTX, FreeWith<EVP_CIPHER_CTX_free>>;  // free also wipes the key
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

CipherContext new_cipher_context() {
  CipherContext context(EVP_CIPHER_CTX_new());
  must(context != nullptr);
  return context;
}

const EVP_CIPHER* aes_gcm_for(Bytes key) {
  assert(key.size() == 16 || key.size() == 24 || key.size() == 32);
  return algorithms().aes_gcm.at(key.size() / 8 - 2);
}

/// The IV's length has to be there before the IV: set later, libcrypto drops the IV that it already has.
CipherContext aes_gcm_context(Bytes key, Bytes iv, bool seal) {
  CipherContext context = new_cipher_context();
  std::size_t iv_size = iv.size();
  const std::array<OSSL_PARAM, 2> parameters = {OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_AEAD_IVLEN, &iv_size),
                                                OSSL_PARAM_construct_end()};
  must(EVP_CipherInit_ex2(context.get(), aes_gcm_for(key), nullptr, nullptr, seal ? 1 : 0, parameters.data()) == 1);
  must(EVP_CipherInit_ex2(context.get(), nullptr, key.data(), iv.data(), seal ? 1 : 0, nullptr) == 1);
  return context;
}

}  // namespace

struct Sha512::State {
  DigestContext context;
};

Sha512::Sha512() : state_(std::make_unique<State>(DigestContext(EVP_MD_CTX_new()))) {
  must(state_->context != nullptr && EVP_DigestInit_ex(state_->context.get(), algorithms().sha512, nullptr) == 1);
}

Sha512::~Sha512() = default;

void Sha512::update(Bytes bytes) { must(EVP_DigestUpdate(state_->context.get(), bytes.data(), bytes.size()) == 1); }

std::array<std::uint8_t, 64> Sha512::finish() {
  std::array<std::uint8_t, 64> digest = {};
  must(EVP_DigestFinal_ex(state_->context.get(), digest.data(), nullptr) == 1);
  return digest;
}

std::array<std::uint8_t, 64> sha512(std::initializer_list<Bytes> parts) {
  Sha512 running;
  for (const Bytes part : parts) running.update(part);
  return running.finish();
}

Result<X25519Key> X25519Key::from(Bytes secret) {
  if (secret.size() != 32) return fail(Errc::invalid_data, "an X25519 key has 32 bytes, not {}", secret.size());
  (void)algorithms();  // initialises libcrypto our way
  X25519Key key;
  EVP_PKEY* const raw = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, nullptr, secret.data(), secret.size());
  must(raw != nullptr);
  key.key_ = raw;
  std::size_t size = key.point_.size();
  must(EVP_PKEY_get_raw_public_key(raw, key.point_.data(), &size) == 1);
  return key;
}

X25519Key X25519Key::generate() { return *from(random_secret(32).bytes()); }

X25519Key::X25519Key(X25519Key&& other) noexcept : key_(std::exchange(other.key_, nullptr)), point_(other.point_) {}

X25519Key& X25519Key::operator=(X25519Key&& other) noexcept {
  std::swap(key_, other.key_);
  std::swap(point_, other.point_);
  return *this;
}

X25519Key::~X25519Key() { EVP_PKEY_free(static_cast<EVP_PKEY*>(key_)); }

Secret X25519Key::secret() const {
  Secret secret(32);
  std::size_t size = secret.size();
  must(EVP_PKEY_get_raw_private_key(static_cast<EVP_PKEY*>(key_), secret.writable().data(), &size) == 1);
  return secret;
}

Result<Secret> X25519Key::agree(const X25519Point& other) const {
  const Key peer(EVP_PKEY_new_raw_public_key(EVP_PKEY_X25519, nullptr, other.data(), other.size()));
  const KeyContext context(EVP_PKEY_CTX_new(static_cast<EVP_PKEY*>(key_), nullptr));
  must(peer != nullptr && context != nullptr && EVP_PKEY_derive_init(context.get()) == 1);
  must(EVP_PKEY_derive_set_peer_ex(context.get(), peer.get(), 0) == 1);
  Secret shared(32);
  std::size_t size = shared.size();
  if (EVP_PKEY_derive(context.get(), shared.writable().data(), &size) != 1 || size != shared.size()) {
    return fail(Errc::invalid_data, "the X25519 point is of low order");
  }
  return shared;
}

void chacha_seal(Bytes key, const Nonce12& nonce, Bytes plaintext, WritableBytes out) {
  assert(key.size() == 32 && out.size() >= plaintext.size() + kTag);
  const CipherContext context = new_cipher_context();
  int size = 0;
  must(EVP_EncryptInit_ex2(context.get(), algorithms().chacha, key.data(), nonce.data(), nullptr) == 1);
  if (!plaintext.empty()) {  // an update without bytes would mean associated data
    must(EVP_EncryptUpdate(context.get(), out.data(), &size, plaintext.data(), int_size(plaintext.size())) == 1);
  }
  must(EVP_EncryptFinal_ex(context.get(), out.data() + plaintext.size(), &size) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, out.data() + plaintext.size()) == 1);
}

Result<> chacha_open(Bytes key, const Nonce12& nonce, Bytes ciphertext, WritableBytes out) {
  assert(key.size() == 32);
  if (ciphertext.size() < kTag) return fail(Errc::mismatch, "the ciphertext is shorter than its tag");
  const std::size_t plain_size = ciphertext.size() - kTag;
  assert(out.size() >= plain_size);
  std::array<std::uint8_t, kTag> tag = {};
  std::copy_n(ciphertext.data() + plain_size, kTag, tag.begin());
  const CipherContext context = new_cipher_context();
  int size = 0;
  must(EVP_DecryptInit_ex2(context.get(), algorithms().chacha, key.data(), nonce.data(), nullptr) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, tag.data()) == 1);
  if (plain_size > 0) {
    must(EVP_DecryptUpdate(context.get(), out.data(), &size, ciphertext.data(), int_size(plain_size)) == 1);
  }
  std::array<std::uint8_t, kTag> rest = {};  // stays empty: a stream cipher leaves nothing for the end
  if (EVP_DecryptFinal_ex(context.get(), rest.data(), &size) != 1) {
    wipe(out.first(plain_size));
    return fail(Errc::mismatch, "the authentication tag is wrong");
  }
  return {};
}

Sealed aes_gcm_seal(Bytes key, Bytes iv, Bytes associated, Bytes plaintext) {
  const CipherContext context = aes_gcm_context(key, iv, true);
  Sealed sealed = {.ciphertext = std::string(plaintext.size(), '\0'), .tag = {}};
  auto* const out = reinterpret_cast<std::uint8_t*>(sealed.ciphertext.data());  // NOLINT
  int size = 0;
  if (!associated.empty()) {
    must(EVP_EncryptUpdate(context.get(), nullptr, &size, associated.data(), int_size(associated.size())) == 1);
  }
  if (!plaintext.empty()) {
    must(EVP_EncryptUpdate(context.get(), out, &size, plaintext.data(), int_size(plaintext.size())) == 1);
  }
  must(EVP_EncryptFinal_ex(context.get(), out + plaintext.size(), &size) == 1);
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTag, sealed.tag.data()) == 1);
  return sealed;
}

Result<Secret> aes_gcm_open(Bytes key, Bytes iv, Bytes associated, Bytes ciphertext, Bytes tag) {
  if (key.size() != 16 && key.size() != 24 && key.size() != 32) {
    return fail(Errc::invalid_data, "an AES key has 16, 24 or 32 bytes, not {}", key.size());
  }
  if (iv.empty() || iv.size() > 64) return fail(Errc::invalid_data, "an IV of {} bytes", iv.size());
  if (tag.size() != kTag) return fail(Errc::invalid_data, "the tag has {} bytes, not 16", tag.size());
  const CipherContext context = aes_gcm_context(key, iv, false);
  Secret plaintext(ciphertext.size());
  int size = 0;
  if (!associated.empty()) {
    must(EVP_DecryptUpdate(context.get(), nullptr, &size, associated.data(), int_size(associated.size())) == 1);
  }
  if (!ciphertext.empty()) {
    must(EVP_DecryptUpdate(context.get(), plaintext.writable().data(), &size, ciphertext.data(),
                           int_size(ciphertext.size())) == 1);
  }
  std::array<std::uint8_t, kTag> expected = {};
  std::copy_n(tag.data(), kTag, expected.begin());
  must(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG, kTag, expected.data()) == 1);
  std::array<std::uint8_t, kTag> rest = {};
  if (EVP_DecryptFinal_ex(context.get(), rest.data(), &size) != 1) {
    return fail(Errc::mismatch, "the authentication tag is wrong");  // `plaintext` is wiped here
  }
  return plaintext;
}

Result<Secret> scrypt(Bytes password, Bytes salt, unsigned log_n) {
  constexpr unsigned kLargestLogN = 22;
  if (log_n < 1 || log_n > kLargestLogN) {
    return fail(Errc::usage, "a scrypt work factor of {} is outside 1 … {}", log_n, kLargestLogN);
  }
  (void)algorithms();
  const std::uint64_t n = 1ULL << log_n;
  const std::uint64_t memory = 128ULL * 8 * n + 1024ULL * 1024;  // without a limit libcrypto stops at 32 MiB
  Secret key(32);
  if (EVP_PBE_scrypt(reinterpret_cast<const char*>(password.data()), password.size(), salt.data(),
                     salt.size(),  // NOLINT
                     n, 8, 1, memory, key.writable().data(), key.size()) != 1) {
    return fail(Errc::unavailable, "scrypt needs {} MiB of memory", memory >> 20U);
  }
  return key;
}

}  // namespace vmcred
