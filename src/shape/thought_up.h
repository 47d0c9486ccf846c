// Passwords that people think up: "Tr0ub4dor&3", "P@ssw0rd".
#pragma once

#include <string_view>

namespace vmcred::shape {

/// One word that mixes letters, digits and signs as rules for passwords want it, or writes such a word with digits for
/// letters. `alone`: nothing stands beside it; in a sentence "World1!" is none.
bool thought_up(std::string_view word, bool alone);

}  // namespace vmcred::shape
