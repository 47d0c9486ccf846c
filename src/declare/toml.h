// TOML text to the neutral tree.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "declare/tree.h"

namespace vmcred::declare {

/// A syntax error (also a duplicate key) with its place.
struct SyntaxError {
  Mark mark = {};
  std::string message;
};

std::expected<Node, SyntaxError> toml_tree(std::string_view text);

}  // namespace vmcred::declare
