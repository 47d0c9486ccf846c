#include "terminal/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "base/foreign_text.h"
#include "base/text.h"
#include "terminal/answer.h"

namespace vmcred::app {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

bool is_plain(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\t'; });
}

/// The length of the colour that `text` begins with, as styled() and the reports write them ("\x1b[1;31m"); 0: it is
/// none.
std::size_t style_length(std::string_view text) {
  constexpr std::size_t kLongest = 7;
  constexpr std::string_view kBegin = "\x1b[";
  if (!text.starts_with(kBegin)) return 0;
  const std::size_t end = text.substr(0, kLongest).find('m');
  if (end == std::string_view::npos) return 0;
  const std::string_view codes = text.substr(kBegin.size(), end - kBegin.size());
  for (const std::string_view known : {"0", "1", "2", "31", "32", "33", "36", "1;31", "1;33", "1;36"}) {
    if (codes == known) return end + 1;
  }
  return 0;
}

void put(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) ::_exit(errno == EPIPE ? 0 : 1);  // nobody reads any more
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::string wrap(std::string_view text, std::size_t width, std::string_view indent) {
  std::string result;
  std::size_t used = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (used > 0 && used + 1 + characters(word) > width) {
      result += fmt::format("\n{}", indent);
      used = 0;
    }
    if (used > 0) {
      result += ' ';
      ++used;
    }
    result += word;
    used += characters(word);
  }
  return result;
}

std::size_t screen_width(const World& world) {
  const std::string given = world.env("COLUMNS");
  std::size_t columns = 0;
  const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), columns);
  if (error == std::errc() && end == given.data() + given.size() && columns > 0) return columns;
  winsize size = {};
  return ::ioctl(world.out, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

std::string tamed(std::string_view text, bool color) {
  if (is_plain(text)) return std::string(text);
  std::string result;
  while (!text.empty()) {
    const std::size_t escape = std::min(text.find('\x1b'), text.size());
    result += printable(text.substr(0, escape));
    text.remove_prefix(escape);
    const std::size_t style = color ? style_length(text) : 0;
    if (style == 0 && !text.empty()) result += '?';
    result += text.substr(0, style);
    text.remove_prefix(std::min(std::max<std::size_t>(style, 1), text.size()));
  }
  return result;
}

std::string table(const std::vector<std::vector<std::string>>& given, bool color) {
  std::vector<std::vector<std::string>> rows = given;
  for (auto& row : rows) {
    for (std::string& cell : row) cell = one_line(cell);
  }
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], characters(row[i]));
  }
  std::string text;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    std::string line;
    for (std::size_t i = 0; i < rows[r].size(); ++i) {
      line += rows[r][i];
      if (i + 1 < rows[r].size()) line.append(widths[i] - characters(rows[r][i]) + 2, ' ');
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += (r == 0 ? styled(line, Style::bold, color) : line) + "\n";
  }
  return text;
}

std::string styled(std::string_view text, Style style, bool color) {
  if (!color) return std::string(text);
  const int code = style == Style::bold    ? 1
                   : style == Style::dim   ? 2
                   : style == Style::red   ? 31
                   : style == Style::green ? 32
                                           : 33;
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

void StatusLine::show(std::string_view text) {
  if (!world_.tty_err || world_.quiet) return;
  put(world_.err, fmt::format("\r\x1b[K{}", tamed(text.substr(0, 100))));
  drawn_ = true;
}

void StatusLine::clear() {
  if (drawn_) put(world_.err, "\r\x1b[K");
  drawn_ = false;
}

void print(const World& world, std::string_view text) {
  if (!world.json) return put(world.out, tamed(text, world.color_out));
  while (!text.empty()) note(world, take_until(text, '\n'));
}

void print_bytes(const World& world, std::string_view bytes) { put(world.out, bytes); }

void note(const World& world, std::string_view text) {
  if (world.answer) world.answer->say(text);
  if (!world.quiet) put(world.err, tamed(text, world.color_err) + "\n");
}

std::string Given::at(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() || found->second.empty() ? "" : found->second.back();
}

std::vector<std::string> Given::all(std::string_view name) const {
  const auto found = values_.find(std::string(name));
  return found == values_.end() ? std::vector<std::string>() : found->second;
}

std::string World::env(std::string_view name) const {
  const auto found = environment.find(std::string(name));
  return found == environment.end() ? "" : found->second;
}

}  // namespace vmcred::app
