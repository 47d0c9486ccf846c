// From the names in runtime-inputs to the commands that a script finds on its PATH.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace vmcred::generate {

struct Toolbox {
  std::map<std::string, std::string> commands;  ///< command name -> program, absolute and free of links
  std::vector<std::string> read_only = {};      ///< folders outside of the system that they need
};

/// coreutils and bash, and of each input: an absolute path's bin/ folder (or the path itself when it is a program), an
/// installed command, or the commands of an installed package. Unknown ones are `not_found`, all in one message.
/// `root` is for tests.
Result<Toolbox> find_runtime_inputs(const std::vector<std::string>& inputs, const std::string& root = "/");

}  // namespace vmcred::generate
