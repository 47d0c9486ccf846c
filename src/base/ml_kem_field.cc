#include "base/ml_kem_field.h"

#include "base/keccak.h"

namespace vmcred::ml_kem {
namespace {

constexpr std::uint16_t power(std::uint32_t base, unsigned exponent) {
  std::uint32_t result = 1;
  for (; exponent > 0; exponent /= 2, base = base * base % kModulus)
    if (exponent % 2 == 1) result = result * base % kModulus;
  return static_cast<std::uint16_t>(result);
}

constexpr unsigned reversed_7_bits(unsigned x) {
  unsigned result = 0;
  for (unsigned bit = 0; bit < 7; ++bit) result |= ((x >> bit) & 1U) << (6 - bit);
  return result;
}

/// 17 is a primitive 256th root of unity modulo q (§4.3).
constexpr auto kZetas = [] {
  std::array<std::uint16_t, 128> table = {};
  for (unsigned i = 0; i < 128; ++i) table[i] = power(17, reversed_7_bits(i));
  return table;
}();
constexpr auto kGammas = [] {
  std::array<std::uint16_t, 128> table = {};
  for (unsigned i = 0; i < 128; ++i) table[i] = power(17, 2 * reversed_7_bits(i) + 1);
  return table;
}();
constexpr std::uint16_t kInverseOf128 = 3303;

}  // namespace

void transform(Polynomial& f) {
  std::size_t next = 1;
  for (std::size_t half = 128; half >= 2; half /= 2) {
    for (std::size_t start = 0; start < kCoefficients; start += 2 * half) {
      const std::uint16_t zeta = kZetas[next++];
      for (std::size_t j = start; j < start + half; ++j) {
        const std::uint16_t t = multiply(zeta, f.at[j + half]);
        f.at[j + half] = subtract(f.at[j], t);
        f.at[j] = add(f.at[j], t);
      }
    }
  }
}

void transform_back(Polynomial& f) {
  std::size_t next = 127;
  for (std::size_t half = 2; half <= 128; half *= 2) {
    for (std::size_t start = 0; start < kCoefficients; start += 2 * half) {
      const std::uint16_t zeta = kZetas[next--];
      for (std::size_t j = start; j < start + half; ++j) {
        const std::uint16_t t = f.at[j];
        f.at[j] = add(t, f.at[j + half]);
        f.at[j + half] = multiply(zeta, subtract(f.at[j + half], t));
      }
    }
  }
  for (std::uint16_t& each : f.at) each = multiply(each, kInverseOf128);
}

void add_product(Polynomial& sum, const Polynomial& a, const Polynomial& b) {
  for (std::size_t i = 0; i < kCoefficients / 2; ++i) {
    const std::uint32_t a0 = a.at[2 * i];
    const std::uint32_t a1 = a.at[2 * i + 1];
    const std::uint32_t b0 = b.at[2 * i];
    const std::uint32_t b1 = b.at[2 * i + 1];
    const std::uint16_t low = add(reduce(a0 * b0), reduce(std::uint32_t{reduce(a1 * b1)} * kGammas[i]));
    const std::uint16_t high = add(reduce(a0 * b1), reduce(a1 * b0));
    sum.at[2 * i] = add(sum.at[2 * i], low);
    sum.at[2 * i + 1] = add(sum.at[2 * i + 1], high);
  }
}

void add(Polynomial& sum, const Polynomial& other) {
  for (std::size_t i = 0; i < kCoefficients; ++i) sum.at[i] = add(sum.at[i], other.at[i]);
}

Polynomial sample_uniform(Bytes seed, std::uint8_t j, std::uint8_t i) {
  Sponge sponge = Sponge::shake128();
  sponge.absorb(seed);
  const std::array<std::uint8_t, 2> place = {j, i};
  sponge.absorb(place);
  Polynomial f;
  std::array<std::uint8_t, 168> block = {};
  for (std::size_t count = 0; count < kCoefficients;) {
    sponge.squeeze(block);
    for (std::size_t at = 0; at < block.size() && count < kCoefficients; at += 3) {
      const std::uint32_t d1 = block[at] | (block[at + 1] & 15U) << 8U;
      const std::uint32_t d2 = block[at + 1] >> 4U | static_cast<std::uint32_t>(block[at + 2]) << 4U;
      if (d1 < kModulus) f.at[count++] = static_cast<std::uint16_t>(d1);
      if (d2 < kModulus && count < kCoefficients) f.at[count++] = static_cast<std::uint16_t>(d2);
    }
  }
  return f;
}

Polynomial sample_small(Bytes seed, std::uint8_t n) {
  std::array<std::uint8_t, 128> bytes = {};
  shake256({seed, {&n, 1}}, bytes);
  Polynomial f;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    for (unsigned half = 0; half < 2; ++half) {
      const unsigned bits = static_cast<unsigned>(bytes[i] >> (4 * half)) & 15U;
      const unsigned x = (bits & 1U) + (bits >> 1U & 1U);
      const unsigned y = (bits >> 2U & 1U) + (bits >> 3U & 1U);
      f.at[2 * i + half] = reduce_once(x + kModulus - y);
    }
  }
  wipe(bytes);
  return f;
}

void encode(const Polynomial& f, unsigned d, WritableBytes out) {
  std::uint32_t waiting = 0;
  unsigned bits = 0;
  std::size_t next = 0;
  for (const std::uint16_t each : f.at) {
    waiting |= static_cast<std::uint32_t>(each) << bits;
    for (bits += d; bits >= 8; bits -= 8, waiting >>= 8U) out[next++] = static_cast<std::uint8_t>(waiting);
  }
}

Polynomial decode(Bytes bytes, unsigned d) {
  Polynomial f;
  std::uint32_t waiting = 0;
  unsigned bits = 0;
  std::size_t next = 0;
  for (std::uint16_t& each : f.at) {
    for (; bits < d; bits += 8) waiting |= static_cast<std::uint32_t>(bytes[next++]) << bits;
    each = static_cast<std::uint16_t>(waiting & ((1U << d) - 1));
    waiting >>= d;
    bits -= d;
  }
  return f;
}

}  // namespace vmcred::ml_kem
