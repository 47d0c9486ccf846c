// The "sops" part of a file: read and written without any key; and the check of its MAC.
#pragma once

#include <array>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "sops/sops.h"

namespace vmcred::sops {

/// Fills everything of `file` but `data`.
Result<> read_metadata(Json metadata, File& file);

/// Refuses a byte order mark, as Go's JSON reader does.
Result<> check_start(std::string_view text);

/// Whether a switch of the metadata is on: absent, false and "false" are the same, for metadata is weakly typed.
[[nodiscard]] bool is_set(const Json::Object& metadata, std::string_view name);
/// Keys sorted, as sops 3.13 does.
Json write_metadata(const File& file);

/// Whether a PGP or cloud key can read the file besides age keys.
[[nodiscard]] bool has_foreign_entries(const File& file);

/// The MAC's plaintext: the SHA-512 of all values in upper-case hex. Secret, since short values could be guessed from
/// it.
Secret mac_text(const std::array<std::uint8_t, 64>& digest);

/// Opens `mac` and compares it in constant time with the digest computed over the values. A difference is `mismatch`.
Result<> check_mac(std::string_view mac, std::string_view lastmodified, Bytes data_key, Bytes computed);

}  // namespace vmcred::sops
