// Firecracker logs each request with its body at level Info, its default: with it the link's token would land in the
// console log, and in the journal.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "vmm/launch.h"

namespace vmcred::vmm::firecracker {

/// A command line with `--level Warn` where it says none, and in the place of a level at which bodies are logged; the
/// latter with a warning of the launch.
void bound_log_level(std::vector<std::string>& argv, Launch& launch);

/// The same for the section "logger" of a configuration file: it may be silent, the command line has a level.
Json bounded_logger(Json section, Launch& launch);

}  // namespace vmcred::vmm::firecracker
