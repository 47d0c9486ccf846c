#include "base/randomness.h"

#include <sys/random.h>

#include <cerrno>

#include "base/crypto.h"
#include "base/die.h"

namespace vmcred {

// Apart from the rest of crypto.h, so that the guest tool can have it without libcrypto's EVP.
void random_bytes(WritableBytes out) {
  while (!out.empty()) {
    const ssize_t n = ::getrandom(out.data(), out.size(), 0);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0)
      die("the kernel gives no random bytes",
          "a filter of system calls may forbid getrandom: see SystemCallFilter= of the unit");
    out = out.subspan(static_cast<std::size_t>(n));
  }
}

Secret random_secret(std::size_t size) {
  Secret secret(size);
  random_bytes(secret.writable());
  return secret;
}

Randomness& kernel_randomness() {
  class Kernel final : public Randomness {
    void fill(WritableBytes out) override { random_bytes(out); }
  };
  static Kernel instance;
  return instance;
}

}  // namespace vmcred
