// One encrypted value of a sops file: "ENC[AES256_GCM,data:…,iv:…,tag:…,type:…]".
#pragma once

#include <string>
#include <string_view>

#include "base/randomness.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::sops {

inline constexpr std::size_t kDataKey = 32;

struct Opened {
  Secret plaintext;
  std::string type;  ///< "str", "int", "float", "bool", "time", "comment", "bytes"
};

/// Encrypts under the file's data key with a random 32-byte IV; `associated` binds the value to its place.
std::string seal(Bytes data_key, std::string_view associated, Bytes plaintext, std::string_view type,
                 Randomness& randomness);

/// Refuses any other form, also bytes after the ']', with `invalid_data`; a wrong key, place or byte is `mismatch`.
Result<Opened> open(Bytes data_key, std::string_view associated, std::string_view text);

}  // namespace vmcred::sops
