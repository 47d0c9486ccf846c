// Unit files as settings with their lines: sections, comments and continued lines, as systemd's own reader takes them
// (src/shared/conf-parser.c; systemd.syntax(7)).
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcred::unitfile {

/// Longer lines end the reading of a file (LONG_LINE_MAX).
inline constexpr std::size_t kMaxLine = 1024UL * 1024;

struct Setting {
  std::string section;
  std::string key;
  std::string value;  ///< continued lines joined, a space in place of each backslash
  int line = 0;       ///< where it begins
};

/// The settings of one file, in their order. A broken section header and what is no UTF-8 end the
/// reading, as they do for systemd.
std::vector<Setting> read_unit(std::string_view text);

/// "yes", "true", "on", "1" and their opposites, in any case; nothing for what systemd refuses.
std::optional<bool> boolean_of(std::string_view value);

/// The section in which units of that type ("service", "socket", …) have what concerns their processes; "" where they
/// start none.
std::string_view section_of(std::string_view unit);

/// A file and what it says.
struct UnitText {
  std::string file;
  std::string text;
  std::string alias_of = {};  ///< the unit that a link with another name means
};

}  // namespace vmcred::unitfile
