// What help and the manual pages say of a command beside its row in the table: examples, files, environment, exit
// codes.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "command.h"

namespace vmcred::app {

/// A command line as somebody types it, and what for. tests/e2e/command_line.bats parses each.
struct Example {
  std::string_view what;
  std::string_view line;  ///< "vmcred vars list | less": from '<', '>', '|' or '#' on the shell's
};
[[nodiscard]] std::span<const Example> all_examples();
[[nodiscard]] std::vector<Example> examples_of(const Command& command);

/// A file or an environment variable, and what it is to a command.
struct Mention {
  std::string_view name;
  std::string_view what;
};
[[nodiscard]] std::vector<Mention> files_of(const Command& command);
[[nodiscard]] std::vector<Mention> environment_of(const Command& command);

/// What exit code 3 of the command says; empty: it has none.
[[nodiscard]] std::string_view findings_of(const Command& command);

}  // namespace vmcred::app
