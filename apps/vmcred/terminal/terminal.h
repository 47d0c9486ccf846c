// What a person sees: a status line, tables, wrapped text, colour.
#pragma once

#include <string>
#include <vector>

#include "command.h"

namespace vmcred::app {

/// Breaks text at spaces into lines of at most `width`; later lines start with `indent`.
std::string wrap(std::string_view text, std::size_t width, std::string_view indent);

/// `text` with everything that a terminal would obey as '?': all control characters but line breaks and tabs, and what
/// is no UTF-8. With `color` the colours that we write ourselves stay.
std::string tamed(std::string_view text, bool color = false);

/// Columns as wide as their widest cell (in UTF-8 characters), two spaces between, no trailing blanks. Cells are tamed,
/// and keep no line break. With `color` the first row is drawn bold.
std::string table(const std::vector<std::vector<std::string>>& rows, bool color = false);

/// The columns of the terminal that standard output is: $COLUMNS, else as the terminal says; 0 when it is none.
std::size_t screen_width(const World& world);

/// One status line on a terminal, erased when it ends; nothing elsewhere. Plain lines are the caller's choice.
class StatusLine {
 public:
  explicit StatusLine(const World& world) : world_(world) {}
  ~StatusLine() { clear(); }
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;
  void show(std::string_view text);
  void clear();

 private:
  const World& world_;
  bool drawn_ = false;
};

enum class Style : std::uint8_t { bold, dim, red, green, yellow };
/// Wraps in an escape sequence when `color`.
std::string styled(std::string_view text, Style style, bool color);

}  // namespace vmcred::app
