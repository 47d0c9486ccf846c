#include "base/ml_kem.h"

#include <algorithm>
#include <cassert>

#include "base/keccak.h"
#include "base/ml_kem_field.h"

namespace vmcred::ml_kem {
namespace {

constexpr std::size_t kRank = 3;
constexpr std::size_t kVector = 384 * kRank;  // ByteEncode12 of a vector
constexpr unsigned kBitsOfU = 10;
constexpr unsigned kBitsOfV = 4;
constexpr std::size_t kOneU = 32 * kBitsOfU;

using Vector = std::array<Polynomial, kRank>;

Vector decode_vector(Bytes bytes) {
  Vector all;
  for (std::size_t i = 0; i < kRank; ++i) all[i] = decode(bytes.subspan(384 * i, 384), 12);
  return all;
}

template <unsigned d>
void encode_compressed(Polynomial f, WritableBytes out) {
  for (std::uint16_t& each : f.at) each = compress<d>(each);
  encode(f, d, out);
}

template <unsigned d>
Polynomial decode_decompressed(Bytes bytes) {
  Polynomial f = decode(bytes, d);
  for (std::uint16_t& each : f.at) each = decompress<d>(each);
  return f;
}

/// K-PKE.Encrypt (algorithm 14). `key` was checked.
std::array<std::uint8_t, kCiphertext> encrypt(Bytes key, Bytes message, Bytes coins) {
  const Vector t = decode_vector(key.first(kVector));
  const Bytes seed = key.subspan(kVector);
  Vector y;
  for (std::uint8_t i = 0; i < kRank; ++i) {
    y[i] = sample_small(coins, i);
    transform(y[i]);
  }
  std::array<std::uint8_t, kCiphertext> ciphertext = {};
  Polynomial v;
  for (std::uint8_t i = 0; i < kRank; ++i) {
    Polynomial u;
    for (std::uint8_t j = 0; j < kRank; ++j) add_product(u, sample_uniform(seed, i, j), y[j]);  // the matrix transposed
    transform_back(u);
    add(u, sample_small(coins, static_cast<std::uint8_t>(kRank + i)));
    encode_compressed<kBitsOfU>(u, WritableBytes(ciphertext).subspan(kOneU * i, kOneU));
    add_product(v, t[i], y[i]);
  }
  transform_back(v);
  add(v, sample_small(coins, 2 * kRank));
  add(v, decode_decompressed<1>(message));
  encode_compressed<kBitsOfV>(v, WritableBytes(ciphertext).subspan(kOneU * kRank));
  return ciphertext;
}

/// K-PKE.Decrypt (algorithm 15) into 32 bytes.
void decrypt(Bytes private_vector, Bytes ciphertext, WritableBytes message) {
  const Vector s = decode_vector(private_vector);
  Polynomial w;
  for (std::size_t i = 0; i < kRank; ++i) {
    Polynomial u = decode_decompressed<kBitsOfU>(ciphertext.subspan(kOneU * i, kOneU));
    transform(u);
    add_product(w, s[i], u);
  }
  transform_back(w);
  const Polynomial v = decode_decompressed<kBitsOfV>(ciphertext.subspan(kOneU * kRank));
  for (std::size_t i = 0; i < kCoefficients; ++i) w.at[i] = subtract(v.at[i], w.at[i]);
  encode_compressed<1>(w, message);
}

}  // namespace

Result<> check_encapsulation_key(Bytes key) {
  if (key.size() != kEncapsulationKey)
    return fail(Errc::invalid_data, "an ML-KEM-768 key has {} bytes, not {}", kEncapsulationKey, key.size());
  for (const Polynomial& part : decode_vector(key.first(kVector)))
    if (std::ranges::any_of(part.at, [](std::uint16_t each) { return each >= kModulus; }))
      return fail(Errc::invalid_data, "the ML-KEM-768 key holds a number beyond its modulus");
  return {};
}

Encapsulated encapsulate(Bytes key, Bytes message) {
  assert(key.size() == kEncapsulationKey && message.size() == 32);
  std::array<std::uint8_t, 32> digest = {};
  sha3_256({key}, digest);
  Secret both(64);  // the shared secret, then the coins
  sha3_512({message, digest}, both.writable());
  Encapsulated made{.shared = {}, .ciphertext = encrypt(key, message, both.bytes().subspan(32))};
  both.shrink_to(kShared);
  made.shared = std::move(both);
  return made;
}

DecapsulationKey::DecapsulationKey(Bytes seed) : expanded_(kVector + 32) {
  assert(seed.size() == kSeed);
  Secret both(64);  // rho, then sigma (algorithm 13)
  const std::uint8_t rank = kRank;
  sha3_512({seed.first(32), {&rank, 1}}, both.writable());
  const Bytes rho = both.bytes().first(32);
  const Bytes sigma = both.bytes().subspan(32);
  Vector s;
  for (std::uint8_t i = 0; i < kRank; ++i) {
    s[i] = sample_small(sigma, i);
    transform(s[i]);
    encode(s[i], 12, expanded_.writable().subspan(384 * i, 384));
  }
  for (std::uint8_t i = 0; i < kRank; ++i) {
    Polynomial t = sample_small(sigma, static_cast<std::uint8_t>(kRank + i));
    transform(t);
    for (std::uint8_t j = 0; j < kRank; ++j) add_product(t, sample_uniform(rho, j, i), s[j]);
    encode(t, 12, WritableBytes(public_).subspan(384 * i, 384));
  }
  std::ranges::copy(rho, public_.begin() + kVector);
  std::ranges::copy(seed.subspan(32), expanded_.writable().begin() + kVector);
}

Secret DecapsulationKey::decapsulate(Bytes ciphertext) const {
  assert(ciphertext.size() == kCiphertext);
  Secret message(32);
  decrypt(expanded_.bytes().first(kVector), ciphertext, message.writable());
  std::array<std::uint8_t, 32> digest = {};
  sha3_256({public_}, digest);
  Secret both(64);
  sha3_512({message.bytes(), digest}, both.writable());
  Secret rejected(kShared);
  shake256({expanded_.bytes().subspan(kVector), ciphertext}, rejected.writable());
  auto again = encrypt(public_, message.bytes(), both.bytes().subspan(32));
  std::uint32_t difference = 0;
  for (std::size_t i = 0; i < kCiphertext; ++i) difference |= static_cast<std::uint32_t>(again[i] ^ ciphertext[i]);
  wipe(again);
  const auto keep = static_cast<std::uint8_t>((difference - 1) >> 24U);  // all ones where there is no difference
  Secret shared(kShared);
  for (std::size_t i = 0; i < kShared; ++i)
    shared.writable()[i] =
        static_cast<std::uint8_t>((both.bytes()[i] & keep) | (rejected.bytes()[i] & static_cast<std::uint8_t>(~keep)));
  return shared;
}

}  // namespace vmcred::ml_kem
