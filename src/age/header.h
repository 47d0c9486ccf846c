// The header of an age file (age v1, "File header"): stanzas and the MAC over them, read strictly, written canonically.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred::age {

inline constexpr std::size_t kFileKeySize = 16;
inline constexpr std::size_t kMaxStanzas = 128;
inline constexpr std::size_t kMaxHeader = 64 * 1024;

/// One way to the file key: "-> TYPE ARGUMENT…" and a body.
struct Stanza {
  std::string type;
  std::vector<std::string> arguments;
  std::string body;  ///< decoded
  bool operator==(const Stanza&) const = default;
};

struct Header {
  std::vector<Stanza> stanzas;
  std::array<std::uint8_t, 32> mac = {};
};

/// A parsed header with the borrowed bytes that the MAC covers and those that follow it.
struct ParsedHeader {
  Header header;
  std::string_view authenticated;  ///< from the first byte through "---"
  std::string_view payload;        ///< nonce and chunks
};

/// Refuses whatever is not canonical with `invalid_data`: CR, other base64, missing lines, no stanza, the limits above.
Result<ParsedHeader> parse_header(std::string_view file);

/// One stanza, as in a header and on the wire of plugins.
void append_stanza(std::string& out, const Stanza& stanza);
/// Takes the first stanza off `text`.
Result<Stanza> take_stanza(std::string_view& text);

/// The whole header with its MAC line, ready for the payload.
std::string write_header(std::span<const Stanza> stanzas, Bytes file_key);

/// HMAC-SHA-256 under the key derived from the file key; compared in constant time. A difference is `mismatch`.
Result<> check_mac(const ParsedHeader& parsed, Bytes file_key);

}  // namespace vmcred::age
