// Texts in which others show what a machine offers: dmidecode's, and the list of systemd-creds.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred::app {

/// What `dmidecode` prints, with or without `--type 11`.
[[nodiscard]] bool is_dmidecode_text(std::string_view text);
/// The type-11 structures that it shows, as bytes. dmidecode puts a dot in place of what is not printable.
Secret read_dmidecode_text(std::string_view text);

/// What `systemd-creds --system list --json=short` or `=pretty` prints.
[[nodiscard]] bool is_credential_list(std::string_view text);
Result<std::vector<std::pair<std::string, std::string>>> read_credential_list(std::string_view text);

}  // namespace vmcred::app
