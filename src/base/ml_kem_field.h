// Arithmetic of ML-KEM: numbers modulo 3329, polynomials of 256 of them, and how both are written as bytes (FIPS 203
// §4).
#pragma once

#include <array>
#include <cstdint>

#include "base/secret.h"

namespace vmcred::ml_kem {

inline constexpr std::uint32_t kModulus = 3329;
inline constexpr std::size_t kCoefficients = 256;

/// x < 2 q to x mod q, without a branch.
constexpr std::uint16_t reduce_once(std::uint32_t x) {
  const std::uint32_t less = x - kModulus;
  return static_cast<std::uint16_t>(less + ((0U - (less >> 31U)) & kModulus));
}
/// x < 2^24, as any product of two numbers is, to x mod q, by multiplication alone. The quotient is right or one too
/// small.
constexpr std::uint16_t reduce(std::uint32_t x) {
  const auto quotient = static_cast<std::uint32_t>((std::uint64_t{x} * 5039U) >> 24U);  // 2^24 / q, rounded down
  return reduce_once(x - quotient * kModulus);
}
constexpr std::uint16_t add(std::uint16_t a, std::uint16_t b) { return reduce_once(std::uint32_t{a} + b); }
constexpr std::uint16_t subtract(std::uint16_t a, std::uint16_t b) {
  return reduce_once(std::uint32_t{a} + kModulus - b);
}
constexpr std::uint16_t multiply(std::uint16_t a, std::uint16_t b) { return reduce(std::uint32_t{a} * b); }

/// Compress and Decompress (§4.2.1) for d of 1, 4 and 10 bits. A division would take a time that depends on the number.
template <unsigned d>
constexpr std::uint16_t compress(std::uint16_t x) {
  static_assert(d <= 10);
  constexpr std::uint64_t kInverse = (1ULL << 36U) / kModulus + 1;  // exact for all x: field_test tries them
  const std::uint64_t rounded = ((std::uint64_t{x} << d) + kModulus / 2) * kInverse;
  return static_cast<std::uint16_t>((rounded >> 36U) & ((1U << d) - 1));
}
template <unsigned d>
constexpr std::uint16_t decompress(std::uint16_t y) {
  return static_cast<std::uint16_t>((y * kModulus + (1U << (d - 1))) >> d);
}

/// A polynomial, or its number-theoretic transform. Wiped at its end, for most are secret.
struct Polynomial {
  std::array<std::uint16_t, kCoefficients> at = {};
  Polynomial() = default;
  Polynomial(const Polynomial&) = default;
  Polynomial& operator=(const Polynomial&) = default;
  ~Polynomial() { wipe({reinterpret_cast<std::uint8_t*>(at.data()), sizeof at}); }  // NOLINT
};

/// NTT and its inverse (§4.3, algorithms 9 and 10), in place.
void transform(Polynomial& f);
void transform_back(Polynomial& f);
/// sum += a * b, all of them transformed (algorithms 11 and 12).
void add_product(Polynomial& sum, const Polynomial& a, const Polynomial& b);
void add(Polynomial& sum, const Polynomial& other);

/// Algorithm 7: a uniform polynomial out of SHAKE128(seed, j, i). The seed is public, and so is the time this takes.
Polynomial sample_uniform(Bytes seed, std::uint8_t j, std::uint8_t i);
/// Algorithm 8 with eta = 2 out of SHAKE256(seed, n).
Polynomial sample_small(Bytes seed, std::uint8_t n);

/// ByteEncode and ByteDecode (algorithms 5 and 6): `d` bits a coefficient, 32 d bytes.
void encode(const Polynomial& f, unsigned d, WritableBytes out);
Polynomial decode(Bytes bytes, unsigned d);

}  // namespace vmcred::ml_kem
