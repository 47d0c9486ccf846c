// The credential settings of a unit, as a given systemd takes them (systemd.exec(5); src/core/load-fragment.c).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "unitfile/specifiers.h"
#include "unitfile/syntax.h"

namespace vmcred::unitfile {

inline constexpr int kFirstWithImport = 254;   ///< ImportCredential=
inline constexpr int kFirstWithRenames = 257;  ///< ImportCredential=GLOB:PREFIX
inline constexpr int kAnyVersion = 0;          ///< the newest counts

enum class LineKind : std::uint8_t { load, load_encrypted, set, set_encrypted, import };
std::string_view setting_name(LineKind kind);  ///< "LoadCredential"

struct CredentialLine {
  LineKind kind = LineKind::load;
  std::string id;           ///< or the pattern of ImportCredential=
  std::string source = {};  ///< an absolute path, or a name that is looked for; empty for the Set… settings
  std::optional<std::string> rename = {};  ///< what stands in place of the pattern's fixed part
  std::size_t bytes = 0;                   ///< of the value of a Set… setting, as it stands
  bool replaces = false;                   ///< an earlier line of the same id
  std::string file = {};
  int line = 0;
  std::string why = {};  ///< why systemd ignores the line
};

struct CredentialLines {
  std::vector<CredentialLine> lines = {};
  std::vector<CredentialLine> ignored = {};  ///< what systemd warns of and skips; `source` is the whole value
};

/// The settings that count in the end: an empty assignment resets, and the last line of an id wins, across
/// LoadCredential= and LoadCredentialEncrypted=. `files` in systemd's order. ImportCredential= is read for every
/// version; who looks at an older one leaves it out.
CredentialLines credential_lines(const std::vector<UnitText>& files, std::string_view unit, int systemd = kAnyVersion);

/// Under which name the service gets the system's credential `name` by this line; nothing: not by it.
std::optional<std::string> imported_as(const CredentialLine& import, std::string_view name);

/// systemd's credential_name_valid().
bool credential_name_valid(std::string_view name);
/// Absolute, without "//", "." and "..", no name in it longer than 255 bytes: path_is_normalized().
bool path_is_normal(std::string_view path);

}  // namespace vmcred::unitfile
