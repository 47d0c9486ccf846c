// Help, man page and completion, all from the command table.
#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace vmcred::app {

/// The overview, or the verbs of a noun (`words` = {"vars"}).
std::string overview(const std::vector<std::string>& words);
/// Everything about one command.
std::string command_help(const Command& command);
/// Manual pages in scdoc's source format: that of vmcred(1), and that of one command, vmcred-vars-generate(1) say.
std::string manual_page();
std::string manual_page(const Command& command);
/// A completion script; `shell` is bash, zsh or fish.
Result<std::string> completion_script(std::string_view shell);

}  // namespace vmcred::app
