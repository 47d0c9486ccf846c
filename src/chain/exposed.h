// Is a named value that everybody can read a secret? By its shape, or by what it is called.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vmcred::chain {

/// What the value looks like, or "its name says so"; nothing for an empty value, a path, a boolean and the like.
std::optional<std::string> exposed(std::string_view name, std::string_view value);

/// By its shape alone (declare::looks_like_secret).
std::optional<std::string_view> shape_of(std::string_view value);

/// NAME=VALUE words of an Environment= line, quotes taken off.
std::vector<std::pair<std::string, std::string>> assignments(std::string_view line);

}  // namespace vmcred::chain
