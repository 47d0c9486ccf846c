// A text as somebody reads it who undoes what was done to it (escapes, wrapping), each character with its place in the
// text.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/secret.h"

namespace vmcred::generate {

struct TextView {
  Secret text;
  std::vector<std::uint32_t> begin;  ///< of each character: where it begins in the original
  std::vector<std::uint32_t> end;    ///< …and ends

  static TextView of(std::string_view text);
};

/// Escapes of one kind, decoded; what is none stays.
enum class Escapes : std::uint8_t {
  percent,    ///< %2F
  form,       ///< %2F, and + for a space
  backslash,  ///< \n, \", \/, \x2f, \u002f, \057
  printable,  ///< =2F, and = at the end of a line
  entities,   ///< &amp; &#47; &#x2F;
};
/// The character that every escape of that kind begins with: without it there is nothing to decode.
char escape_sign(Escapes kind);
TextView decoded(const TextView& view, Escapes kind);

/// Without white space.
TextView unwrapped(const TextView& view);

/// Only what may be digits of a hex dump, in lower case: without white space, punctuation between bytes, "0x" and "\x".
TextView hex_digits(const TextView& view);

}  // namespace vmcred::generate
