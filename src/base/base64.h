// Base64 (RFC 4648 §4) and hex, strict in what they read: canonical, no white space.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred {

enum class Padding : std::uint8_t { with, without };

[[nodiscard]] constexpr std::size_t base64_size(std::size_t bytes, Padding padding = Padding::with) {
  return padding == Padding::with ? (bytes + 2) / 3 * 4 : (bytes * 4 + 2) / 3;
}

/// For what is not secret.
std::string base64_encode(Bytes bytes, Padding padding = Padding::with);
/// Writes base64_size() characters to `out`, which must have room for exactly that.
void base64_encode_into(Bytes bytes, WritableBytes out, Padding padding = Padding::with);
/// For what is.
Secret base64_encode_secret(Bytes bytes, Padding padding = Padding::with);

/// Refuses white space, the wrong padding, a foreign alphabet and non-zero unused bits with `invalid_data`.
Result<std::string> base64_decode(std::string_view text, Padding padding = Padding::with);
Result<Secret> base64_decode_secret(std::string_view text, Padding padding = Padding::with);

/// Lower-case hex.
std::string hex_encode(Bytes bytes);
/// Both cases; an odd length or another character is `invalid_data`.
Result<std::string> hex_decode(std::string_view text);

}  // namespace vmcred
