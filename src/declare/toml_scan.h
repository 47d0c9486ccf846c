// A look at TOML before toml++ gets it: what it does not bear.
#pragma once

#include <optional>
#include <string_view>

#include "declare/toml.h"

namespace vmcred::declare {

/// How many tables and lists may lie in each other. toml++ counts brackets only, and neither the parts of dotted keys
/// nor those of headers; and every level costs each walk over the tree some stack.
inline constexpr std::size_t kMaxTomlDepth = 64;

/// The first character outside of strings and comments that is not ASCII, or the first place that lies deeper than
/// kMaxTomlDepth. What else is wrong is the parser's to say.
std::optional<SyntaxError> unfit_for_parser(std::string_view text);

}  // namespace vmcred::declare
