#include "unitfile/syntax.h"

#include <algorithm>
#include <array>

namespace vmcred::unitfile {
namespace {

constexpr std::string_view kSpace = " \t\n\r";

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// systemd's read_line(): "\n", "\r", "\0" and pairs of different ones end a line.
std::string_view take_line(std::string_view& rest) {
  constexpr std::string_view kEnds("\n\r\0", 3);
  const std::size_t end = std::min(rest.find_first_of(kEnds), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end);
  std::string_view seen = rest.substr(0, std::min(rest.find_first_not_of(kEnds), rest.size()));
  std::size_t taken = seen.empty() ? 0 : 1;
  if (taken == 1 && seen.front() != '\0')
    while (taken < seen.size() && taken < 3 && seen.substr(0, taken).find(seen[taken]) == std::string_view::npos) {
      ++taken;
      if (seen[taken - 1] == '\0') break;
    }
  rest.remove_prefix(taken);
  return line;
}

/// Whether the line goes on in the next one: it ends with a backslash that no other one takes away.
bool goes_on(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  return (line.size() - (last == std::string_view::npos ? 0 : last + 1)) % 2 == 1;
}

bool valid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<unsigned char>(text[i]);
    const std::size_t more = first < 0x80 ? 0 : first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : 1;
    if ((first >= 0x80 && first < 0xC2) || first > 0xF4 || i + more >= text.size() + (more == 0 ? 1 : 0)) return false;
    for (std::size_t k = 1; k <= more; ++k)
      if ((static_cast<unsigned char>(text[i + k]) & 0xC0U) != 0x80) return false;
    if (more > 0) {
      const auto second = static_cast<unsigned char>(text[i + 1]);
      if ((first == 0xE0 && second < 0xA0) || (first == 0xED && second >= 0xA0) || (first == 0xF0 && second < 0x90) ||
          (first == 0xF4 && second >= 0x90))
        return false;
    }
    i += more + 1;
  }
  return true;
}

/// One joined line. False: the file ends here for systemd.
bool take_setting(std::string_view whole, int line, std::string& section, std::vector<Setting>& settings) {
  const std::string_view text = trimmed(whole);
  if (text.empty()) return true;
  if (!valid_utf8(text)) return false;
  if (text.starts_with('[')) {
    if (!text.ends_with(']')) return false;
    section = text.substr(1, text.size() - 2);
    return true;
  }
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return true;
  settings.push_back(
      {section, std::string(trimmed(text.substr(0, equals))), std::string(trimmed(text.substr(equals + 1))), line});
  return true;
}

}  // namespace

std::vector<Setting> read_unit(std::string_view text) {
  std::vector<Setting> settings;
  std::string section;
  std::string joined;
  bool continued = false;
  int first = 0;
  int number = 0;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    ++number;
    const std::size_t begin = line.find_first_not_of(kSpace);
    if (begin != std::string_view::npos && (line[begin] == '#' || line[begin] == ';'))
      continue;  // also between continued lines
    if (joined.size() + line.size() > kMaxLine) return settings;
    if (!continued) first = number;
    joined += line;
    continued = goes_on(joined);
    if (continued) {
      joined.back() = ' ';
      continue;
    }
    if (!take_setting(joined, first, section, settings)) return settings;
    joined.clear();
  }
  if (continued) (void)take_setting(joined, first, section, settings);
  return settings;
}

std::optional<bool> boolean_of(std::string_view value) {
  std::string word(value);
  std::ranges::transform(word, word.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  constexpr std::array<std::string_view, 6> kYes = {"1", "yes", "y", "true", "t", "on"};
  constexpr std::array<std::string_view, 6> kNo = {"0", "no", "n", "false", "f", "off"};
  if (std::ranges::find(kYes, std::string_view(word)) != kYes.end()) return true;
  if (std::ranges::find(kNo, std::string_view(word)) != kNo.end()) return false;
  return {};
}

std::string_view section_of(std::string_view unit) {
  struct Type {
    std::string_view suffix;
    std::string_view section;
  };
  constexpr Type kTypes[] = {{".service", "Service"}, {".socket", "Socket"}, {".mount", "Mount"}, {".swap", "Swap"}};
  for (const Type& each : kTypes)
    if (unit.ends_with(each.suffix) || unit == each.suffix.substr(1))
      return each.section;  // "socket.d" is of all sockets
  for (const std::string_view none : {".target", ".timer", ".path", ".slice", ".scope", ".device", ".automount"})
    if (unit.ends_with(none) || unit == none.substr(1)) return {};
  return "Service";  // a file that somebody calls something else
}

}  // namespace vmcred::unitfile
