// Bech32 (BIP 173, without its length limit): how age writes keys.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred::age {

struct Bech32 {
  std::string prefix;  ///< lower case
  Secret data;
  bool upper_case = false;
};

/// `prefix` in lower case; the result is lower case and ends where `age1…` text ends.
std::string bech32_encode(std::string_view prefix, Bytes data);
/// Upper case, for private keys.
Secret bech32_encode_secret(std::string_view prefix, Bytes data);

/// Refuses mixed case, a foreign character, a wrong checksum and non-zero padding with `invalid_data`. The message
/// never holds the text: it may be a private key.
Result<Bech32> bech32_decode(std::string_view text);

}  // namespace vmcred::age
