// Is a word random? Its letters are weighed against those of names and prose.
#pragma once

#include <string_view>

namespace vmcred::shape {

/// By how many bits uniform letters of its own alphabet explain `word` better than names and prose do.
double randomness(std::string_view word);

/// A word of base64, base64url, base32 or mere letters and digits that nobody thought up: at least `least` letters.
bool random_word(std::string_view word, std::size_t least);

/// Hexadecimal digits, at least `least`, and not a row of the same.
bool random_hex(std::string_view word, std::size_t least);

}  // namespace vmcred::shape
