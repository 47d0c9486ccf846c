// The credential settings of a unit, read from its files as systemd reads them (systemd.exec(5), systemd.unit(5)).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "chain/check.h"
#include "declare/model.h"

namespace vmcred::chain::doctor {

enum class LineKind : std::uint8_t { load, load_encrypted, set, set_encrypted, import };
std::string_view setting_name(LineKind kind);  ///< "LoadCredential"

struct CredentialLine {
  LineKind kind = LineKind::load;
  std::string id;           ///< or the pattern of ImportCredential=
  std::string source = {};  ///< an absolute path, or a name that is looked for; empty for the Set… settings
  std::size_t bytes = 0;    ///< of the value of a Set… setting, as it stands
  declare::Place place = {};
};

struct CredentialLines {
  std::vector<CredentialLine> lines = {};
  std::vector<CredentialLine> ignored = {};  ///< what systemd warns of and skips; `source` is the whole value
};

/// The settings that count in the end: an empty assignment resets, and the last line of an id wins, across
/// LoadCredential= and LoadCredentialEncrypted= (systemd 252 load-fragment.c). `files` in systemd's order.
CredentialLines credential_lines(const std::vector<UnitText>& files, std::string_view unit);

/// Expands %i, %n and the like for a system unit. `invalid_data` for a specifier that only PID 1 can know.
Result<std::string> expand_specifiers(std::string_view text, std::string_view unit);

}  // namespace vmcred::chain::doctor
