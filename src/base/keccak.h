// SHA-3 and SHAKE (FIPS 202) as a sponge that can be squeezed again and again, which libcrypto's cannot before 3.3.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "base/secret.h"

namespace vmcred {

/// Absorbs, then squeezes as often as wanted. Its state is wiped at its end.
class Sponge {
 public:
  static Sponge shake128() { return {168, 0x1f}; }
  static Sponge shake256() { return {136, 0x1f}; }
  static Sponge sha3_256() { return {136, 0x06}; }
  static Sponge sha3_512() { return {72, 0x06}; }
  Sponge(const Sponge&) = delete;
  Sponge& operator=(const Sponge&) = delete;
  ~Sponge();

  void absorb(Bytes bytes);
  void squeeze(WritableBytes out);

 private:
  Sponge(std::size_t rate, std::uint8_t suffix) : rate_(rate), suffix_(suffix) {}
  void turn();

  std::array<std::uint64_t, 25> state_ = {};
  std::size_t rate_;
  std::size_t at_ = 0;
  std::uint8_t suffix_;
  bool squeezing_ = false;
};

/// One call of it: everything in, all of `out` filled.
void sha3_256(std::initializer_list<Bytes> parts, WritableBytes out);
void sha3_512(std::initializer_list<Bytes> parts, WritableBytes out);
void shake256(std::initializer_list<Bytes> parts, WritableBytes out);

}  // namespace vmcred
