// The one door to randomness, so that tests can hold the dice still.
#pragma once

#include "base/secret.h"

namespace vmcred {

class Randomness {
 public:
  virtual ~Randomness() = default;
  /// Fills with bytes nobody can guess. Called from many threads at once.
  virtual void fill(WritableBytes out) = 0;
  [[nodiscard]] Secret secret(std::size_t size) {
    Secret bytes(size);
    fill(bytes.writable());
    return bytes;
  }
};

/// getrandom(2).
Randomness& kernel_randomness();

}  // namespace vmcred
