// What the tests of age and sops share: scripted randomness, the keys of the known answers, the real `age` beside us.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <string>
#include <vector>

#include "age/keys.h"
#include "age/ssh_key.h"
#include "base/base64.h"
#include "base/crypto.h"
#include "base/process.h"
#include "base/randomness.h"
#include "base/sha256.h"

namespace vmcred::testing {

/// Gives out what the test wrote down, in order and in exactly those pieces.
class ScriptedRandomness final : public Randomness {
 public:
  explicit ScriptedRandomness(std::deque<std::string> script) : script_(std::move(script)) {}
  void fill(WritableBytes out) override {
    ASSERT_FALSE(script_.empty()) << "nothing left for " << out.size() << " bytes";
    ASSERT_EQ(script_.front().size(), out.size());
    std::ranges::copy(bytes_of(script_.front()), out.begin());
    script_.pop_front();
  }
  [[nodiscard]] bool used_up() const { return script_.empty(); }

 private:
  std::deque<std::string> script_;
};

/// first, first + 1, …
inline std::string counting(unsigned first, std::size_t size) {
  std::string bytes;
  for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(first + i);
  return bytes;
}
inline std::string repeated(unsigned byte, std::size_t size) { return std::string(size, static_cast<char>(byte)); }
inline std::string sha256_hex(std::string_view text) { return hex_encode(sha256(bytes_of(text))); }

/// The key whose secret bytes are 01 … 20.
inline constexpr std::string_view kIdentity =
    "AGE-SECRET-KEY-1QYPQXPQ9QCRSSZG2PVXQ6RS0ZQG3YYC5Z5TPWXQERGD3C8G7RUSQGPQYEE";
inline constexpr std::string_view kRecipient = "age1q73he0q5yzfu3d64msd3p6rvksnrwjk3d2598mgtmlqt9wrdr37q2vrn72";

inline age::IdentityPtr identity() { return *age::parse_identity(kIdentity); }
inline age::RecipientPtr recipient() { return *age::parse_recipient(kRecipient); }

/// A new SSH key.
inline age::SshPrivateKey some_ssh_key() {
  Secret seed = random_secret(32);
  const Ed25519Point point = ed25519_public(seed.bytes());
  return {.public_key = age::ssh_public_key(point), .key = std::move(seed)};
}

/// What a test says that misses a program of tools/setup.
inline constexpr const char* kRunSetup = "a program that tools/setup installs is missing: run tools/setup";

/// A program of this name on PATH, or "".
inline std::string program(const std::string& name, const char* override_variable = nullptr) {
  if (override_variable != nullptr && std::getenv(override_variable) != nullptr)
    return std::getenv(override_variable);       // NOLINT
  const char* const path = std::getenv("PATH");  // NOLINT
  return find_program(name, path == nullptr ? kSystemPath : path).value_or("");
}

}  // namespace vmcred::testing
