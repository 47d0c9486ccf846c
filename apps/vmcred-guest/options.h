// Options that `receipt` and `agent` share.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "arguments.h"

namespace vmcred::guest {

/// A whole number of seconds from 1 to 3600.
Result<std::chrono::milliseconds> read_seconds(const std::string& text);

/// --output UNIT=FILE: what a unit printed, to be handed to the host with the report.
Result<std::vector<std::pair<std::string, std::string>>> read_outputs(const Arguments& arguments);

}  // namespace vmcred::guest
