// Text of others before it is shown: guests, VMMs, files of the repository, other processes.
#pragma once

#include <string>
#include <string_view>

namespace vmcred {

/// Safe to print: control characters other than newline and tab, those that turn the direction of text, and what is not
/// UTF-8 become '?'.
[[nodiscard]] std::string printable(std::string_view text);

/// The same for what stands in a line of ours: newline and tab become '?' too, so that nobody forges another line.
[[nodiscard]] std::string one_line(std::string_view text);

}  // namespace vmcred
