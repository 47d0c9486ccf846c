#include "base/public_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <cassert>
#include <memory>
#include <vector>

#include "base/die.h"

namespace vmcred {
namespace {

/// As in crypto.cc: fails only when memory is exhausted.
void must(bool ok) {
  if (!ok) die("libcrypto failed", "it does so only without memory: see 'ulimit -a' and MemoryMax= of the unit");
}

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, FreeWith<EVP_MD_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, FreeWith<BN_clear_free>>;
using NumberContext = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;

Key ed25519_key(Bytes seed) {
  assert(seed.size() == 32);
  Key key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, seed.data(), seed.size()));
  must(key != nullptr);
  return key;
}

Number number(Bytes big_endian) {
  Number value(BN_bin2bn(big_endian.data(), static_cast<int>(big_endian.size()), nullptr));
  must(value != nullptr);
  return value;
}
Number number(std::uint64_t word) {
  Number value(BN_new());
  must(value != nullptr && BN_set_word(value.get(), word) == 1);
  return value;
}

std::string big_endian(const BIGNUM* value) {
  std::string bytes(static_cast<std::size_t>(BN_num_bytes(value)), '\0');
  BN_bn2bin(value, reinterpret_cast<unsigned char*>(bytes.data()));  // NOLINT
  return bytes;
}

/// Arithmetic modulo 2^255 - 19. Only for public values: BIGNUM's time tells about its numbers.
class Field {
 public:
  Field() : context_(BN_CTX_new()), prime_(number(1)) {
    must(context_ != nullptr && BN_lshift(prime_.get(), prime_.get(), 255) == 1 && BN_sub_word(prime_.get(), 19) == 1);
  }
  Number add(const Number& a, const Number& b) {
    return make([&](BIGNUM* r) { return BN_mod_add(r, a.get(), b.get(), prime_.get(), context_.get()); });
  }
  Number subtract(const Number& a, const Number& b) {
    return make([&](BIGNUM* r) { return BN_mod_sub(r, a.get(), b.get(), prime_.get(), context_.get()); });
  }
  Number multiply(const Number& a, const Number& b) {
    return make([&](BIGNUM* r) { return BN_mod_mul(r, a.get(), b.get(), prime_.get(), context_.get()); });
  }
  Number divide(const Number& a, const Number& b) {
    const Number inverse(BN_mod_inverse(nullptr, b.get(), prime_.get(), context_.get()));
    must(inverse != nullptr);
    return multiply(a, inverse);
  }
  bool is_square(const Number& a) { return BN_kronecker(a.get(), prime_.get(), context_.get()) >= 0; }
  [[nodiscard]] bool holds(const Number& a) const { return BN_cmp(a.get(), prime_.get()) < 0; }

 private:
  template <class F>
  static Number make(F fill) {
    Number result(BN_new());
    must(result != nullptr && fill(result.get()) == 1);
    return result;
  }
  NumberContext context_;
  Number prime_;
};

Result<RsaKey> rsa_from(const std::vector<std::pair<const char*, Bytes>>& parts, int selection) {
  const Builder builder(OSSL_PARAM_BLD_new());
  must(builder != nullptr);
  std::vector<Number> numbers;  // the builder borrows them
  for (const auto& [name, bytes] : parts) {
    numbers.push_back(number(bytes));
    must(OSSL_PARAM_BLD_push_BN(builder.get(), name, numbers.back().get()) == 1);
  }
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  must(parameters != nullptr && context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1);
  EVP_PKEY* key = nullptr;
  if (EVP_PKEY_fromdata(context.get(), &key, selection, parameters.get()) != 1) {
    ERR_clear_error();
    return fail(Errc::invalid_data, "these numbers are no RSA key");
  }
  return RsaKey(key);
}

/// A context for OAEP as age wants it.
Result<KeyContext> oaep_context(void* key, std::string_view label, bool seal) {
  KeyContext context(EVP_PKEY_CTX_new(static_cast<EVP_PKEY*>(key), nullptr));
  must(context != nullptr);
  if ((seal ? EVP_PKEY_encrypt_init(context.get()) : EVP_PKEY_decrypt_init(context.get())) != 1) {
    ERR_clear_error();
    return fail(Errc::invalid_data, "the RSA key cannot be used");
  }
  must(EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
       EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 &&
       EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1);
  void* const copy = OPENSSL_memdup(label.data(), label.size());
  must(copy != nullptr && EVP_PKEY_CTX_set0_rsa_oaep_label(context.get(), copy, static_cast<int>(label.size())) == 1);
  return context;
}

/// Never asks: a service has nobody to answer.
int refuse_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

}  // namespace

Ed25519Point ed25519_public(Bytes seed) {
  Ed25519Point point = {};
  std::size_t size = point.size();
  must(EVP_PKEY_get_raw_public_key(ed25519_key(seed).get(), point.data(), &size) == 1);
  return point;
}

Ed25519Signature ed25519_sign(Bytes seed, Bytes message) {
  const Key key = ed25519_key(seed);
  const DigestContext context(EVP_MD_CTX_new());
  Ed25519Signature signature = {};
  std::size_t size = signature.size();
  must(context != nullptr && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
       EVP_DigestSign(context.get(), signature.data(), &size, message.data(), message.size()) == 1);
  return signature;
}

bool ed25519_verify(const Ed25519Point& point, Bytes message, Bytes signature) {
  const Key key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, point.data(), point.size()));
  const DigestContext context(EVP_MD_CTX_new());
  must(key != nullptr && context != nullptr);
  const bool good =
      EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1 &&
      EVP_DigestVerify(context.get(), signature.data(), signature.size(), message.data(), message.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<X25519Point> x25519_of(const Ed25519Point& key) {
  // The curve is -x² + y² = 1 + d x² y² with d = -121665 / 121666; its Montgomery form has u = (1 + y) / (1 - y).
  Ed25519Point bytes = key;
  bytes.back() &= 0x7f;  // the sign of x
  std::ranges::reverse(bytes);
  const Number y = number(bytes);
  Field field;
  const Number one = number(1);
  const Number square = field.multiply(y, y);
  const Number d = field.subtract(number(0), field.divide(number(121665), number(121666)));
  const Number x_square = field.divide(field.subtract(square, one), field.add(field.multiply(d, square), one));
  const Number below = field.subtract(one, y);
  if (!field.holds(y) || !field.is_square(x_square) || BN_is_zero(below.get()) == 1) {
    return fail(Errc::invalid_data, "the Ed25519 key is no point of the curve");
  }
  const Number u = field.divide(field.add(one, y), below);
  X25519Point point = {};
  must(BN_bn2lebinpad(u.get(), point.data(), static_cast<int>(point.size())) == static_cast<int>(point.size()));
  return point;
}

Secret x25519_of_seed(Bytes seed) {
  std::array<std::uint8_t, 64> digest = sha512({seed});
  Secret secret = Secret::copy_of(Bytes(digest).first(32));
  wipe(digest);
  return secret;
}

Result<RsaKey> RsaKey::from(const Public& key) {
  return rsa_from({{OSSL_PKEY_PARAM_RSA_N, bytes_of(key.modulus)}, {OSSL_PKEY_PARAM_RSA_E, bytes_of(key.exponent)}},
                  EVP_PKEY_PUBLIC_KEY);
}

Result<RsaKey> RsaKey::from(const Public& key, Bytes private_exponent, Bytes inverse, Bytes prime_p, Bytes prime_q) {
  const NumberContext context(BN_CTX_new());
  const Number d = number(private_exponent);
  const auto exponent_for = [&](Bytes prime) {  // d mod (prime - 1): OpenSSH's file leaves these two out
    Number result(BN_new());
    const Number less = number(prime);
    BN_set_flags(less.get(), BN_FLG_CONSTTIME);
    must(context != nullptr && result != nullptr && BN_sub_word(less.get(), 1) == 1);
    if (BN_is_zero(less.get()) == 1 || BN_mod(result.get(), d.get(), less.get(), context.get()) != 1)
      BN_zero(result.get());
    Secret bytes(static_cast<std::size_t>(BN_num_bytes(result.get())));
    BN_bn2bin(result.get(), bytes.writable().data());
    return bytes;
  };
  if (prime_p.empty() || prime_q.empty()) return fail(Errc::invalid_data, "these numbers are no RSA key");
  const Secret exponent_p = exponent_for(prime_p);
  const Secret exponent_q = exponent_for(prime_q);
  return rsa_from({{OSSL_PKEY_PARAM_RSA_N, bytes_of(key.modulus)},
                   {OSSL_PKEY_PARAM_RSA_E, bytes_of(key.exponent)},
                   {OSSL_PKEY_PARAM_RSA_D, private_exponent},
                   {OSSL_PKEY_PARAM_RSA_FACTOR1, prime_p},
                   {OSSL_PKEY_PARAM_RSA_FACTOR2, prime_q},
                   {OSSL_PKEY_PARAM_RSA_EXPONENT1, exponent_p.bytes()},
                   {OSSL_PKEY_PARAM_RSA_EXPONENT2, exponent_q.bytes()},
                   {OSSL_PKEY_PARAM_RSA_COEFFICIENT1, inverse}},
                  EVP_PKEY_KEYPAIR);
}

RsaKey::RsaKey(void* key) : key_(key) {}
RsaKey::RsaKey(RsaKey&& other) noexcept : key_(std::exchange(other.key_, nullptr)) {}
RsaKey& RsaKey::operator=(RsaKey&& other) noexcept {
  std::swap(key_, other.key_);
  return *this;
}
RsaKey::~RsaKey() { EVP_PKEY_free(static_cast<EVP_PKEY*>(key_)); }

RsaKey::Public RsaKey::public_part() const {
  const auto part = [this](const char* name) {
    BIGNUM* raw = nullptr;
    must(EVP_PKEY_get_bn_param(static_cast<EVP_PKEY*>(key_), name, &raw) == 1);
    return big_endian(Number(raw).get());
  };
  return {.modulus = part(OSSL_PKEY_PARAM_RSA_N), .exponent = part(OSSL_PKEY_PARAM_RSA_E)};
}

unsigned RsaKey::bits() const { return static_cast<unsigned>(EVP_PKEY_get_bits(static_cast<EVP_PKEY*>(key_))); }

Result<std::string> RsaKey::oaep_seal(std::string_view label, Bytes plaintext) const {
  TRY_LET(const KeyContext context, oaep_context(key_, label, true));
  std::string out((bits() + 7) / 8, '\0');
  std::size_t size = out.size();
  if (EVP_PKEY_encrypt(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, plaintext.data(),  // NOLINT
                       plaintext.size()) != 1) {
    ERR_clear_error();
    return fail(Errc::invalid_data, "the RSA key cannot encrypt {} bytes", plaintext.size());
  }
  return out;
}

Result<Secret> RsaKey::oaep_open(std::string_view label, Bytes ciphertext) const {
  TRY_LET(const KeyContext context, oaep_context(key_, label, false));
  Secret out((bits() + 7) / 8);
  std::size_t size = out.size();
  if (EVP_PKEY_decrypt(context.get(), out.writable().data(), &size, ciphertext.data(), ciphertext.size()) != 1) {
    ERR_clear_error();
    return fail(Errc::mismatch, "it was not encrypted for this RSA key");
  }
  out.shrink_to(size);
  return out;
}

Result<std::variant<Secret, RsaKey>> read_pem_private_key(std::string_view text) {
  const std::unique_ptr<BIO, FreeWith<BIO_free_all>> input(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  must(input != nullptr);
  bool asked = false;
  Key key(PEM_read_bio_PrivateKey(input.get(), nullptr, refuse_passphrase, &asked));
  ERR_clear_error();
  if (asked) {
    return hint(fail(Errc::denied, "the private key is protected by a passphrase"),
                "use a key without one, or an age identity");
  }
  if (key == nullptr) return fail(Errc::invalid_data, "the private key file cannot be read");
  if (EVP_PKEY_is_a(key.get(), "RSA") == 1) return std::variant<Secret, RsaKey>(RsaKey(key.release()));
  if (EVP_PKEY_is_a(key.get(), "ED25519") != 1) {
    return fail(Errc::invalid_data, "the private key is of a kind that is neither Ed25519 nor RSA");
  }
  Secret seed(32);
  std::size_t size = seed.size();
  must(EVP_PKEY_get_raw_private_key(key.get(), seed.writable().data(), &size) == 1);
  return std::variant<Secret, RsaKey>(std::move(seed));
}

}  // namespace vmcred
