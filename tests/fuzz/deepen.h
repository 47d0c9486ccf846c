// Makes inputs deep and long for parsers that nest: libFuzzer alone does not get there in minutes, since one more "a."
// or
// "[" shows it no new code, and it keeps inputs short as long as short ones are of use.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <random>

#ifdef VMCRED_FUZZ
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

/// Once in eight times a piece of up to 16 bytes is repeated until the input is full or nearly so; else as usual.
extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  std::minstd_rand random(seed);
  if (size == 0 || size >= max_size || random() % 8 != 0) return LLVMFuzzerMutate(data, size, max_size);
  const std::size_t at = random() % size;
  const std::size_t piece = std::min<std::size_t>(1 + random() % 16, size - at);
  const std::size_t room = (max_size - size) / piece;
  const std::size_t times = room == 0 ? 0 : 1 + random() % room;
  std::memmove(data + at + piece * (times + 1), data + at + piece, size - at - piece);
  for (std::size_t i = 1; i <= times; ++i) std::memcpy(data + at + piece * i, data + at, piece);
  return size + piece * times;
}
#endif
