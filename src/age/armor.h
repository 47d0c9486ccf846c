// The text form of an age file: base64 between a BEGIN and an END line (age v1, "ASCII armor").
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vmcred::age {

/// Whether `text` means to be armored: the BEGIN line, after white space at most.
[[nodiscard]] bool is_armored(std::string_view text);

/// 64 columns, '\n', an end line with a newline.
std::string write_armor(std::string_view file);

/// LF or CRLF line ends, up to 1024 bytes of white space around; everything else not canonical is `invalid_data`.
Result<std::string> read_armor(std::string_view text);

}  // namespace vmcred::age
