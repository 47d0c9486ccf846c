#include "chain/explain/pen.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace vmcred::chain::explain {

std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

std::string repeated(std::string_view text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string tame(std::string text) {
  std::ranges::replace_if(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; }, '?');
  return text;
}

std::string Pen::draw(std::string_view text, std::string_view code) const {
  return on && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::string Pen::mood(Mood mood, std::string_view text) const {
  static constexpr std::array<std::string_view, 6> kColors = {"32", "36", "2", "35", "33", "31"};
  return draw(text, kColors.at(static_cast<std::size_t>(mood)));
}

std::string Pen::mark(Mood which) const {
  static constexpr std::array<std::string_view, 6> kMarks = {"●", "◐", "○", "◆", "▲", "✖"};
  return mood(which, kMarks.at(static_cast<std::size_t>(which)));
}

}  // namespace vmcred::chain::explain
