// Lines of source files for excerpts and edits: columns count characters, as the front ends do.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "declare/model.h"

namespace vmcred::chain {

/// Reads each file once, when a line of it is first wanted.
class Sources {
 public:
  /// Nothing when the place has no line or the file cannot be read.
  std::optional<std::string> line(const declare::Place& place);

 private:
  std::map<std::string, std::vector<std::string>> files_ = {};
};

/// What a caret underlines: from a column (from 1) to the end of the quoted text or word there.
struct Span {
  std::size_t begin = 0;  ///< bytes
  std::size_t bytes = 0;
  std::size_t columns_before = 0;
  std::size_t columns = 1;
};
Span span_at(std::string_view line, int column);

/// The line as a terminal can show it: control characters as spaces, at most 160 characters, and whatever looks like a
/// secret (quoted texts and words) as stars: findings go to logs.
std::string shown_line(std::string_view line);

/// A relative reference as SARIF wants it: percent-encoded, '/' kept.
std::string uri_of(std::string_view path);

}  // namespace vmcred::chain
