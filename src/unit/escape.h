// systemd's spelling rules: how a value is written into a unit file so that it comes out as it went in.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vmcred::unit {

/// A value that takes the rest of its line (the path of LoadCredential=): `%` is doubled. What a unit file cannot hold
/// is refused with `invalid_data`: control characters, a space at either end, a backslash at the end (it would continue
/// the line). `what` names the value in the message.
Result<std::string> setting_value(std::string_view value, std::string_view what);

/// The name in front of the ':' of LoadCredential=: as above, and backslashes doubled too.
Result<std::string> credential_id(std::string_view id, std::string_view what);

/// One word of a setting that splits at white space (ExecStart=, ReadWritePaths=, BindPaths=, …): quoted where it has
/// to be, `%` doubled. In a command line `$` is doubled too.
enum class Splitting : std::uint8_t { words, command };
Result<std::string> setting_word(std::string_view value, Splitting splitting, std::string_view what);

}  // namespace vmcred::unit
