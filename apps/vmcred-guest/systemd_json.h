// JSON as systemd's tools print it (src/shared/json.c): tabs, a space before the colon, numbers with 21 decimals.
#pragma once

#include <string>

#include "base/json.h"

namespace vmcred::guest {

enum class JsonMode : std::uint8_t { off, brief, pretty };

/// "off", "short" or "pretty".
Result<JsonMode> json_mode(std::string_view word);

/// One line, or tabs and line breaks; both end with a newline.
std::string systemd_json(const Json& value, JsonMode mode);

}  // namespace vmcred::guest
