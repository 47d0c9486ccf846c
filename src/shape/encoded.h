// Keys and tokens in the encodings that have a shape: PEM, DER, JSON web tokens, public keys of SSH and others.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace vmcred::shape {

struct Block {
  std::size_t begin = 0;
  std::size_t bytes = 0;
  bool secret = false;
};
/// All PEM blocks; one without an end reaches to the end of the text.
std::vector<Block> pem_blocks(std::string_view text);

/// A JSON web token (RFC 7519) at the start of `word`.
bool starts_with_jwt(std::string_view word);

enum class Content : std::uint8_t { unknown, text, user_and_password, public_key, private_key };
/// What the base64 in `word` holds: printable text, "user:password", a public key or certificate, a private key (in
/// DER, or PEM for private ones).
Content content_of(std::string_view word);

/// What is known to be public by its first letters: keys of SSH, minisign, age; mangled names of C++.
bool published_word(std::string_view word);

/// 8-4-4-4-12 at the start of `text`.
bool starts_with_uuid(std::string_view text);

}  // namespace vmcred::shape
