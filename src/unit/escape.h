// systemd's spelling rules: how a value is written into a unit file so that it comes out as it went in.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vmcred::unit {

/// A value for a setting that expands specifiers and takes the rest of the line as it is (LoadCredential=, Environment
/// files, …): `%` is doubled. Control characters, white space at either end and a backslash at the end (it would
/// continue the line) cannot be written and are refused with `invalid_data`; `what` names the value in the message.
Result<std::string> setting_value(std::string_view value, std::string_view what);

/// One word of a setting that splits at white space (ExecStart=, ReadWritePaths=, …): quoted where it has to be, `%`
/// doubled. In a command line `$` is doubled too.
enum class Splitting : std::uint8_t { words, command };
Result<std::string> setting_word(std::string_view value, Splitting splitting, std::string_view what);

/// `systemd-escape`: a string as part of a unit name ('/' becomes '-', others `\xNN`).
std::string escape_unit_name(std::string_view text);

}  // namespace vmcred::unit
