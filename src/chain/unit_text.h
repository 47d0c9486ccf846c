// Unit files as settings with their lines: sections, comments and continued lines (systemd.syntax(7)).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmcred::chain {

struct Setting {
  std::string section;
  std::string key;
  std::string value;  ///< continued lines joined by a space
  int line = 0;
};

std::vector<Setting> read_unit(std::string_view text);

/// "yes", "true", "on" and "1", as systemd reads booleans.
bool is_yes(std::string_view value);

}  // namespace vmcred::chain
