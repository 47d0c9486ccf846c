// What git leaves in a file that two branches changed and that it could not merge.
#pragma once

#include <cstddef>
#include <string_view>

namespace vmcred {

/// The line (from 1) of the first mark of an unfinished merge; 0 where there is none.
std::size_t line_of_merge_mark(std::string_view text);

}  // namespace vmcred
