// From argv to a command and what was given to it. The one user of CLI11 is options.cc.
#pragma once

#include <string>
#include <vector>

#include "rooms.h"

namespace vmcred::app {

/// The options that every command takes.
std::span<const Parameter> global_parameters();

/// How a Parameter's spelling reads: kind, names, placeholder.
struct Spelling {
  bool option = false;  ///< starts with '-'
  bool takes_value = false;
  bool required = false;
  bool repeatable = false;
  std::string names;  ///< "-g,--generator" or "NAME"
  std::string key;    ///< the key in Given: "generator" or "NAME"
  std::string value;  ///< the placeholder of an option: "VALUE"
};
Spelling spelling_of(const Parameter& parameter);

/// What the command line asks for. Without a command `help` is set: show the help of `words` (maybe none).
struct Asked {
  const Command* command = nullptr;
  Given given = {};
  Given global = {};
  bool help = false;
  bool version = false;
  std::vector<std::string> words = {};  ///< the words that were matched, for help on a noun
};

/// Fails with `usage` and a hint for unknown words (with a near one), options and missing arguments.
Result<Asked> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace vmcred::app
