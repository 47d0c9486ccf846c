// The commands of the guest tool; each parses its own few options and prints itself.
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace vmcred::guest {

/// Exit codes: 0 done, 1 failed, 2 usage, 3 findings.
using Run = Result<int> (*)(std::span<char* const> given);

struct Command {
  std::string_view name;
  std::string_view usage;
  std::string_view summary;
  Run run;
};

Result<int> list(std::span<char* const> given);
Result<int> cat(std::span<char* const> given);
Result<int> show(std::span<char* const> given);
Result<int> receipt(std::span<char* const> given);
Result<int> agent(std::span<char* const> given);
Result<int> import(std::span<char* const> given);
Result<int> doctor(std::span<char* const> given);

/// Prints to stdout. A closed reader ends the program quietly.
void print(std::string_view text);
/// A line on stderr.
void note(std::string_view line);

}  // namespace vmcred::guest
