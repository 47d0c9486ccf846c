#include "options.h"

#include <charconv>

namespace vmcred::guest {

Result<std::chrono::milliseconds> read_seconds(const std::string& text) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value == 0 || value > 3600) {
    return fail(Errc::usage, "'{}' is no number of seconds from 1 to 3600", text);
  }
  return std::chrono::milliseconds(1000L * value);
}

Result<std::vector<std::pair<std::string, std::string>>> read_outputs(const Arguments& arguments) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const auto given = arguments.options.find("--output");
  if (given == arguments.options.end()) return pairs;
  for (const std::string& one : given->second) {
    const auto equals = one.find('=');
    if (equals == std::string::npos || equals == 0) return fail(Errc::usage, "'{}' is not UNIT=FILE", one);
    pairs.emplace_back(one.substr(0, equals), one.substr(equals + 1));
  }
  return pairs;
}

}  // namespace vmcred::guest
