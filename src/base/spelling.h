// "did you mean": the known word nearest to a mistyped one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmcred {

/// The candidate with the smallest edit distance, or "" when none is near (more than a third of the letters differ).
std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates);

/// "did you mean 'x'?" or "".
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

/// The same, and where none is near what there is: "there are 'a', 'b' and 3 more"; "there is none" without any.
std::string near_or_known(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace vmcred
