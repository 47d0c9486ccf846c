#include "declare/toml_scan.h"

#include <algorithm>
#include <string>
#include <vector>

namespace vmcred::declare {
namespace {

/// The end of the string that begins at `at`; npos when it is not closed (toml++ says so).
std::size_t end_of_string(std::string_view text, std::size_t at) {
  const char quote = text[at];
  const std::string three(3, quote);
  const bool lines = text.substr(at).starts_with(three);
  for (std::size_t i = at + (lines ? 3 : 1); i < text.size(); ++i) {
    if (text[i] == '\\' && quote == '"') {
      ++i;
    } else if (!lines && text[i] == '\n') {
      return std::string_view::npos;
    } else if (lines ? text.substr(i).starts_with(three) : text[i] == quote) {
      if (!lines) return i + 1;
      i += 3;
      for (int more = 0; more < 2 && i < text.size() && text[i] == quote; ++more) ++i;  // up to two quotes belong to it
      return i;
    }
  }
  return std::string_view::npos;
}

Mark mark_at(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const std::size_t line_start = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
  Mark mark{1, 1};
  for (const char each : before) mark.line += each == '\n' ? 1 : 0;
  for (const char each : before.substr(line_start))
    mark.column += (static_cast<unsigned char>(each) & 0xC0U) != 0x80 ? 1 : 0;
  return mark;
}

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }
bool is_mark(char c) { return c == '[' || c == ']' || c == '{' || c == '}' || c == '=' || c == ',' || c == '.'; }

/// Counts how deep a place lies: the parts of the header, of every key on the way, and the brackets. Counts too much
/// rather than too little where a text is no TOML.
class Depth {
 public:
  void newline() {
    if (!open_.empty()) return;
    begins_ = true;
    key_ = parts_ = 0;
    joined_ = false;
  }
  /// A bare word or a string.
  void word() {
    parts_ = joined_ ? parts_ + 1 : 1;
    joined_ = begins_ = false;
  }
  void mark(char c) {
    if (c == '.') {
      joined_ = true;
    } else if (in_header_ && (c == '[' || c == ']')) {
      if (c == ']') header_ = std::max(header_, parts_ + 1);
    } else if (c == '[' && begins_ && open_.empty()) {
      in_header_ = true;
      header_ = 0;
    } else if (c == '[' || c == '{') {
      open_.push_back(1 + key_ + parts_);
      in_open_ += open_.back();
      key_ = parts_ = 0;
    } else if (c == ']' || c == '}') {
      if (!open_.empty()) {
        in_open_ -= open_.back();
        open_.pop_back();
      }
      key_ = parts_ = 0;
    } else if (c == '=') {
      key_ = parts_;
      parts_ = 0;
    } else {
      key_ = parts_ = 0;
    }
    if (c != '.') joined_ = false;
    if (!in_header_) begins_ = false;
  }
  void end_of_line() {
    in_header_ = false;
    newline();
  }
  [[nodiscard]] std::size_t now() const { return (in_header_ ? 0 : header_) + in_open_ + key_ + parts_; }

 private:
  bool begins_ = true;  ///< nothing stands on the line yet
  bool in_header_ = false;
  bool joined_ = false;     ///< the word that comes belongs to the key before the dot
  std::size_t header_ = 0;  ///< of the table that the lines belong to
  std::vector<std::size_t> open_ = {};
  std::size_t in_open_ = 0;
  std::size_t key_ = 0;    ///< parts before '='
  std::size_t parts_ = 0;  ///< of the key, or number, that is being read
};

}  // namespace

std::optional<SyntaxError> unfit_for_parser(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  Depth depth;
  for (std::size_t i = text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0; i < text.size();) {
    const std::size_t here = i;
    const char c = text[i];
    if (c == '#') {
      i = std::min(text.find('\n', i), text.size());
    } else if (c == '"' || c == '\'') {
      i = end_of_string(text, i);
      depth.word();
    } else if (static_cast<unsigned char>(c) >= 0x80) {
      // toml++ 3.3 does not get so far as to say so: looking whether such a character is white space, it runs into a
      // branch that it declares unreachable.
      return SyntaxError{mark_at(text, i), "a character that is not ASCII stands outside of strings and comments"};
    } else if (c == '\n') {
      depth.end_of_line();
      ++i;
    } else if (is_mark(c)) {
      depth.mark(c);
      ++i;
    } else if (is_blank(c)) {
      ++i;
    } else {
      depth.word();
      while (i < text.size() && text[i] > ' ' && static_cast<unsigned char>(text[i]) < 0x80 && !is_mark(text[i]) &&
             text[i] != '#' && text[i] != '"' && text[i] != '\'')
        ++i;
      if (i == here) ++i;  // a control character: the parser's to refuse
    }
    if (depth.now() > kMaxTomlDepth)
      return SyntaxError{mark_at(text, here),
                         "tables and lists are nested deeper than " + std::to_string(kMaxTomlDepth) + " levels"};
  }
  return {};
}

}  // namespace vmcred::declare
