// In which forms a value may stand in a text: what is looked for when one looks for secrets, to report or to hide them.
#pragma once

#include <string_view>
#include <vector>

#include "base/secret.h"

namespace vmcred {

struct ValueForm {
  std::string_view encoding;  ///< "raw", "hex", "base64", "base32", "url", "json"
  Secret text;
};

/// The value as it is; in hex of both cases, also with a colon or a space between bytes; in base64 (both alphabets) and
/// base32, of each alignment the characters that nothing before or after the value can change, and base64 of it alone;
/// for a URL (all that is not unreserved, or every byte; both cases of hex digits; a space also as plus) and as JSON
/// writes it (with slashes escaped or not). Forms that are the same as another are left out. White space that wraps an
/// encoded text is the reader's to remove.
std::vector<ValueForm> forms_of(Bytes value);

}  // namespace vmcred
