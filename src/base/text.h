// Small steps through texts that are read piece by piece.
#pragma once

#include <algorithm>
#include <string_view>

namespace vmcred {

/// Takes what stands before the next `end`, and that too; all of `rest` where there is none.
inline std::string_view take_until(std::string_view& rest, char end) {
  const std::string_view taken = rest.substr(0, rest.find(end));
  rest.remove_prefix(std::min(rest.size(), taken.size() + 1));
  return taken;
}

}  // namespace vmcred
