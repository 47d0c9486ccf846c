#include "chain/unit_text.h"

#include <algorithm>

namespace vmcred::chain {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

std::vector<Setting> read_unit(std::string_view text) {
  std::vector<Setting> settings;
  std::string section;
  std::string joined;
  int first = 0;
  int number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = trimmed(text.substr(start, end - start));
    start = end + 1;
    ++number;
    const bool comment = line.starts_with('#') || line.starts_with(';');
    if (comment) continue;  // also between continued lines
    if (joined.empty()) first = number;
    if (line.ends_with('\\')) {
      joined += std::string(line.substr(0, line.size() - 1)) + " ";
      continue;
    }
    joined += line;
    const std::string whole = std::string(trimmed(joined));
    joined.clear();
    if (whole.starts_with('[') && whole.ends_with(']')) {
      section = whole.substr(1, whole.size() - 2);
      continue;
    }
    const std::size_t equals = whole.find('=');
    if (equals == std::string::npos) continue;
    settings.push_back({section, std::string(trimmed(std::string_view(whole).substr(0, equals))),
                        std::string(trimmed(std::string_view(whole).substr(equals + 1))), first});
  }
  return settings;
}

bool is_yes(std::string_view value) { return value == "yes" || value == "true" || value == "on" || value == "1"; }

}  // namespace vmcred::chain
