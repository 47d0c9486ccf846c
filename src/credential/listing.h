// Texts in which others show what a machine offers: dmidecode's, and the list of systemd-creds.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred::credential {

/// What `dmidecode` prints, with or without `--type 11`, `--quiet` and its first lines.
[[nodiscard]] bool is_dmidecode_text(std::string_view text);

struct DmidecodeText {
  Secret table;      ///< the type-11 structures that it shows, as bytes; dmidecode puts a dot in place of what is not
                     ///< printable
  bool cut = false;  ///< the text ends in a string, and so does the table
};
DmidecodeText read_dmidecode_text(std::string_view text);

/// What `systemd-creds --system list` prints, as a table or as JSON.
[[nodiscard]] bool is_credential_list(std::string_view text);
/// Name and size, in its words.
Result<std::vector<std::pair<std::string, std::string>>> read_credential_list(std::string_view text);

}  // namespace vmcred::credential
