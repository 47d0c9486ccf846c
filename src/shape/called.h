// What a name says about its value.
#pragma once

#include <cstdint>
#include <string_view>

namespace vmcred::shape {

enum class Called : std::uint8_t {
  nothing,
  secret,     ///< "DB_PASSWORD", "api-token", "wifi.psk"
  key,        ///< "tls.key", "seed": a secret where it is random
  published,  ///< "sha256", "machine-id", "PublicKey": random and no secret
};
Called called(std::string_view name);

/// What stands in place of a value: nothing, a path, a variable, a placeholder, a word of a setting, an encrypted text.
bool stands_for_a_value(std::string_view text);

}  // namespace vmcred::shape
