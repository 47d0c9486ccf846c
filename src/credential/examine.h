// What a guest's systemd makes of type-11 structures: which credentials it imports whole, cuts, skips or never sees
// (systemd's src/core/import-creds.c, src/shared/smbios11.c).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/secret.h"
#include "credential/smbios.h"

namespace vmcred::credential {

enum class Kind : std::uint8_t { text, binary, other };

enum class Fate : std::uint8_t {
  imported,
  truncated,  ///< imported, but not all of it
  skipped,    ///< seen and not imported
  unseen,     ///< never read
  ignored,    ///< no credential
};
std::string_view fate_name(Fate fate);

/// One OEM string, borrowed from its table.
struct SeenString {
  std::size_t structure = 0;  ///< from 0, among those of type 11
  std::uint16_t handle = 0;
  std::size_t number = 0;  ///< from 1, in its structure
  Bytes text;
  Kind kind = Kind::other;
  std::string name = {};                 ///< of the credential; may be invalid, printable all the same
  std::optional<std::size_t> size = {};  ///< of the value that was sent, where it can be decoded
  Fate fate = Fate::ignored;
  std::string why = {};
};

/// Examines all type-11 structures of `structures` as systemd `version` would in a guest.
std::vector<SeenString> examine(std::span<const FoundStructure> structures, int version);

/// One item of a fw_cfg tree.
struct SeenItem {
  std::string name;
  std::size_t size = 0;
  Fate fate = Fate::imported;
  std::string why = {};
};
/// Judges fw_cfg items (name, size) in the order in which systemd reads them.
std::vector<SeenItem> examine_items(std::vector<std::pair<std::string, std::size_t>> items);

/// The value of a credential string as the guest would get it; nothing when it cannot be decoded or is none.
std::optional<Secret> value_in(const SeenString& seen);

/// Printable ASCII; every other byte as \xNN, the backslash doubled.
std::string printable(std::string_view text);

}  // namespace vmcred::credential
