// Secrets that whoever issues them marks: the prefixes of tokens and of password hashes.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace vmcred::shape {

struct Issued {
  std::size_t begin = 0;
  std::size_t bytes = 0;
  std::string_view what = {};
  bool whole = false;  ///< it has the length and the letters that the issuer gives it: no placeholder, no example
};

/// The first in `text` whose prefix is no part of a longer word.
std::optional<Issued> issued_in(std::string_view text);

}  // namespace vmcred::shape
