// What nix says on stderr, in one sentence with a place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vmcred::nix {

inline constexpr std::size_t kMaxMessage = 600;

/// The error of an evaluation. Our own evaluator's messages carry place and remedy; nix's are shortened to the sentence
/// and the place in the user's files. Message and hint are each one line of at most about kMaxMessage bytes. `known`
/// are words that a mistyped one may have meant.
Error error_of(std::string_view stderr_text, const std::vector<std::string>& known);

/// Whether an error's message begins with a place; with `--show-trace` nix tells one for every error.
[[nodiscard]] bool has_place(const Error& error);

/// The files that nix evaluated and the values that our evaluator read from the store, as `nix -v` and traces tell.
struct Reads {
  std::vector<std::string> evaluated = {};
  std::vector<std::string> values = {};
};
Reads reads_of(std::string_view stderr_text);

}  // namespace vmcred::nix
