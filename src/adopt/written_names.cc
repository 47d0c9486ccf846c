#include "adopt/written_names.h"

#include <set>

namespace vmcred::adopt {
namespace {

bool in_name(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' ||
         c == '\'';
}

/// The text without its comments, strings kept: what is commented out names nothing.
std::string without_comments(const std::string& text) {
  std::string kept;
  char end = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (end == 0 && text[i] == '#') {
      while (i < text.size() && text[i] != '\n') ++i;
    } else if (end == 0 && text.compare(i, 2, "/*") == 0) {
      const std::size_t close = text.find("*/", i + 2);
      i = close == std::string::npos ? text.size() : close + 1;
      continue;
    } else if (text[i] == '"' && (i == 0 || text[i - 1] != '\\')) {
      end = end == 0 ? '"' : 0;
    }
    if (i < text.size()) kept += text[i];
  }
  return kept;
}

/// The name that ends at `end`; `end` moves in front of it.
std::string_view name_before(std::string_view text, std::size_t& end) {
  std::size_t start = end;
  while (start > 0 && in_name(text[start - 1])) --start;
  const std::string_view name = text.substr(start, end - start);
  end = start;
  return name;
}

/// What stands in `systems = [ web db ]`.
std::set<std::string, std::less<>> listed_machines(std::string_view text) {
  std::set<std::string, std::less<>> names;
  for (std::size_t open = text.find('['); open != std::string_view::npos; open = text.find('[', open + 1)) {
    std::size_t end = text.find_last_not_of(" \t\n\r", open == 0 ? 0 : open - 1);
    if (end == std::string_view::npos || text[end] != '=') continue;
    end = end == 0 ? 0 : text.find_last_not_of(" \t\n\r", end - 1) + 1;
    if (!is_word_for_machines(name_before(text, end))) continue;
    std::string name;
    for (const char c : text.substr(open + 1, text.find(']', open) - open - 1)) {
      if (in_name(c))
        name += c;
      else if (!name.empty())
        names.insert(std::exchange(name, {}));
    }
    if (!name.empty()) names.insert(name);
  }
  return names;
}

}  // namespace

void add_written_names(const std::string& whole, Found& found) {
  const std::string text = without_comments(whole);
  const auto machines = listed_machines(text);
  for (auto& [recipient, known] : found.names) {
    if (!known.name.empty()) continue;
    const std::size_t key = text.find('"' + recipient);
    if (key == std::string::npos || key == 0) continue;
    std::size_t end = text.find_last_not_of(" \t\n\r", key - 1);
    if (end == std::string::npos || text[end] != '=' || end == 0) continue;
    end = text.find_last_not_of(" \t\n\r", end - 1) + 1;
    const std::string_view name = name_before(text, end);
    known = name_of_word(name);
    std::string_view above;
    if (end > 0 && text[end - 1] == '.') above = name_before(text, --end);
    known.machine = known.machine || machines.contains(name) || is_word_for_machines(above);
  }
}

}  // namespace vmcred::adopt
