// --describe: the page of a finding's code, for check and doctor.
#pragma once

#include <string>

#include "command.h"

namespace vmcred::app {

/// Prints the page of a code ("VC060"), or with "all" the list of codes.
Result<Exit> describe(const World& world, const std::string& code);

}  // namespace vmcred::app
