#include "base/keccak.h"

#include <bit>
#include <cstring>

namespace vmcred {
namespace {

static_assert(std::endian::native == std::endian::little, "lanes are copied as they lie in memory");

constexpr std::array<std::uint64_t, 24> kRoundConstants = {
    0x0000000000000001, 0x0000000000008082, 0x800000000000808a, 0x8000000080008000, 0x000000000000808b,
    0x0000000080000001, 0x8000000080008081, 0x8000000000008009, 0x000000000000008a, 0x0000000000000088,
    0x0000000080008009, 0x000000008000000a, 0x000000008000808b, 0x800000000000008b, 0x8000000000008089,
    0x8000000000008003, 0x8000000000008002, 0x8000000000000080, 0x000000000000800a, 0x800000008000000a,
    0x8000000080008081, 0x8000000000008080, 0x0000000080000001, 0x8000000080008008};

// rho and pi in one walk over the lanes: where each goes, and by how much it is turned (FIPS 202 §3.2.2, §3.2.3).
constexpr std::array<std::uint8_t, 24> kLanes = {10, 7,  11, 17, 18, 3, 5,  16, 8,  21, 24, 4,
                                                 15, 23, 19, 13, 12, 2, 20, 14, 22, 9,  6,  1};
constexpr std::array<std::uint8_t, 24> kTurns = {1,  3,  6,  10, 15, 21, 28, 36, 45, 55, 2,  14,
                                                 27, 41, 56, 8,  25, 43, 62, 18, 39, 61, 20, 44};

/// Keccak-f[1600] (FIPS 202 §3.3). No branch and no index depends on the state.
void permute(std::array<std::uint64_t, 25>& a) {
  for (const std::uint64_t constant : kRoundConstants) {
    std::array<std::uint64_t, 5> c;
#pragma GCC unroll 5
    for (std::size_t x = 0; x < 5; ++x) c[x] = a[x] ^ a[x + 5] ^ a[x + 10] ^ a[x + 15] ^ a[x + 20];
#pragma GCC unroll 5
    for (std::size_t x = 0; x < 5; ++x) {
      const std::uint64_t d = c[(x + 4) % 5] ^ std::rotl(c[(x + 1) % 5], 1);
#pragma GCC unroll 5
      for (std::size_t y = 0; y < 25; y += 5) a[y + x] ^= d;
    }
    std::uint64_t carried = a[1];
#pragma GCC unroll 24
    for (std::size_t i = 0; i < 24; ++i) {
      const std::uint64_t next = a[kLanes[i]];
      a[kLanes[i]] = std::rotl(carried, kTurns[i]);
      carried = next;
    }
#pragma GCC unroll 5
    for (std::size_t y = 0; y < 25; y += 5) {
      const std::array<std::uint64_t, 5> row = {a[y], a[y + 1], a[y + 2], a[y + 3], a[y + 4]};
#pragma GCC unroll 5
      for (std::size_t x = 0; x < 5; ++x) a[y + x] = row[x] ^ (~row[(x + 1) % 5] & row[(x + 2) % 5]);
    }
    a[0] ^= constant;
  }
}

}  // namespace

Sponge::~Sponge() { wipe({reinterpret_cast<std::uint8_t*>(state_.data()), sizeof state_}); }  // NOLINT

void Sponge::absorb(Bytes bytes) {
  while (!bytes.empty()) {
    if (at_ % 8 == 0 && bytes.size() >= 8) {  // a lane at once; a rate holds whole ones
      std::uint64_t lane = 0;
      std::memcpy(&lane, bytes.data(), 8);
      state_[at_ / 8] ^= lane;
      at_ += 8;
      bytes = bytes.subspan(8);
    } else {
      state_[at_ / 8] ^= std::uint64_t{bytes.front()} << (8 * (at_ % 8));
      ++at_;
      bytes = bytes.subspan(1);
    }
    if (at_ == rate_) turn();
  }
}

void Sponge::squeeze(WritableBytes out) {
  if (!squeezing_) {
    state_[at_ / 8] ^= std::uint64_t{suffix_} << (8 * (at_ % 8));
    state_[(rate_ - 1) / 8] ^= 0x80ULL << 56U;
    turn();
    squeezing_ = true;
  }
  while (!out.empty()) {
    if (at_ == rate_) turn();
    const std::size_t taken = at_ % 8 == 0 && out.size() >= 8 ? 8 : 1;
    const std::uint64_t lane = state_[at_ / 8] >> (8 * (at_ % 8));
    std::memcpy(out.data(), &lane, taken);
    at_ += taken;
    out = out.subspan(taken);
  }
}

void Sponge::turn() {
  permute(state_);
  at_ = 0;
}

void sha3_256(std::initializer_list<Bytes> parts, WritableBytes out) {
  Sponge sponge = Sponge::sha3_256();
  for (const Bytes part : parts) sponge.absorb(part);
  sponge.squeeze(out);
}

void sha3_512(std::initializer_list<Bytes> parts, WritableBytes out) {
  Sponge sponge = Sponge::sha3_512();
  for (const Bytes part : parts) sponge.absorb(part);
  sponge.squeeze(out);
}

void shake256(std::initializer_list<Bytes> parts, WritableBytes out) {
  Sponge sponge = Sponge::shake256();
  for (const Bytes part : parts) sponge.absorb(part);
  sponge.squeeze(out);
}

}  // namespace vmcred
