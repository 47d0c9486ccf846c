// Editing one answer: keys in, text out. Knows no terminal; the caller reads the keys and draws what it is told.
#pragma once

#include <string>
#include <string_view>

#include "base/secret.h"

namespace vmcred::generate {

/// A line (or several) being typed. The text never leaves its Secret.
///
/// Keys: left, right, home, end (and ctrl-b, f, a, e), backspace, delete, ctrl-u (all before), ctrl-k (all behind),
/// ctrl-w (the word before; backspace at the start of a line joins it to the one above), paste (bracketed: taken as it
/// is, newlines too in a multi-line answer). Enter ends a line, ctrl-d ends several; ctrl-c gives up. Other control
/// characters and broken UTF-8 are refused with a bell.
class LineEditor {
 public:
  enum class State : std::uint8_t { typing, done, given_up };

  LineEditor(bool multiline, std::size_t capacity) : text_(capacity), multiline_(multiline) {}

  /// Takes one byte as the terminal sends it.
  State feed(unsigned char byte);

  /// A refused key since the last call.
  [[nodiscard]] bool take_bell() { return std::exchange(bell_, false); }

  /// The line with the cursor, and the cursor's place in it in bytes.
  [[nodiscard]] std::string_view current_line() const;
  [[nodiscard]] std::size_t cursor_in_line() const { return cursor_ - line_start(); }
  /// Whether the last key ended a line of a multi-line answer.
  [[nodiscard]] bool take_new_line() { return std::exchange(new_line_, false); }
  /// Whether it joined the line to the one above.
  [[nodiscard]] bool take_joined() { return std::exchange(joined_, false); }

  /// The answer; the editor is empty then.
  Secret take();

 private:
  enum class Mode : std::uint8_t { plain, escape, sequence };
  State control(unsigned char byte);
  void sequence(std::string_view text);
  void insert(std::string_view bytes);
  void erase(std::size_t begin, std::size_t end);
  void refuse() { bell_ = true; }
  [[nodiscard]] std::size_t line_start() const;
  [[nodiscard]] std::size_t before(std::size_t place) const;
  [[nodiscard]] std::size_t behind(std::size_t place) const;

  Secret text_;  ///< at its full capacity; used_ bytes count
  std::size_t used_ = 0;
  std::size_t cursor_ = 0;
  bool multiline_;
  bool pasting_ = false;
  bool bell_ = false;
  bool new_line_ = false;
  bool joined_ = false;
  Mode mode_ = Mode::plain;
  std::string pending_ = {};  ///< of an escape sequence
  char character_[4] = {};    ///< of a UTF-8 character
  std::size_t have_ = 0;
  std::size_t need_ = 0;
};

/// How many columns a terminal gives a text: wide and combining characters are known, the rest is one each.
std::size_t columns(std::string_view utf8);

}  // namespace vmcred::generate
