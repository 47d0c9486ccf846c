// JSON whose numbers are taken as Go's programs take them.
#pragma once

#include "base/json.h"

namespace vmcred {

/// As parse_json, but for integers that no 64 bits hold: they become the nearest floating-point number.
Result<Json> parse_json_with_large_numbers(std::string_view text, const JsonLimits& limits);

}  // namespace vmcred
