#include "base/foreign_text.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace vmcred {

std::string printable(std::string_view text) {
  // C0 and C1 controls but newline and tab, surrogates, and what turns the direction of the text around it (UAX #9).
  const auto steers = [](std::uint32_t point) {
    const bool control = (point < 0x20 && point != '\n' && point != '\t') || (point >= 0x7f && point < 0xa0);
    const bool direction = point == 0x61c || point == 0x200e || point == 0x200f ||
                           (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069) ||
                           point == 0x2028 || point == 0x2029;  // the last two end lines
    return control || direction || (point >= 0xd800 && point <= 0xdfff);
  };
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // The lengths and lowest code points of RFC 3629.
    const std::size_t length = byte < 0x80             ? 1
                               : (byte & 0xe0) == 0xc0 ? 2
                               : (byte & 0xf0) == 0xe0 ? 3
                               : (byte & 0xf8) == 0xf0 ? 4
                                                       : 0;
    std::uint32_t point = length == 1 ? byte : length == 2 ? byte & 0x1fU : length == 3 ? byte & 0x0fU : byte & 0x07U;
    bool good = length != 0 && i + length <= text.size();
    for (std::size_t k = 1; good && k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      good = (next & 0xc0) == 0x80;
      point = (point << 6) | (next & 0x3fU);
    }
    constexpr std::array<std::uint32_t, 5> kLowest = {0, 0, 0x80, 0x800, 0x10000};
    good = good && point >= kLowest.at(length) && point <= 0x10ffff && !steers(point);
    if (good) {
      out.append(text.substr(i, length));
      i += length;
    } else {
      out.push_back('?');
      ++i;
    }
  }
  return out;
}

std::string one_line(std::string_view text) {
  std::string line = printable(text);
  std::ranges::replace_if(line, [](char c) { return c == '\n' || c == '\t'; }, '?');
  return line;
}

}  // namespace vmcred
