// What was given on the command line of one command: switches, options with values and words.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vmcred::guest {

struct Arguments {
  std::map<std::string, std::vector<std::string>> options;  ///< by name with dashes; switches have no value
  std::vector<std::string> words;
  [[nodiscard]] bool has(const std::string& name) const { return options.contains(name); }
  /// The last value, or `otherwise`.
  [[nodiscard]] std::string value(const std::string& name, std::string_view otherwise = {}) const;
};

/// `known` holds "--switch" and "--option="; anything else that begins with a dash is `usage`. "--" ends the options.
Result<Arguments> parse_arguments(std::span<char* const> given, std::span<const std::string_view> known);

}  // namespace vmcred::guest
