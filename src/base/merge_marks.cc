#include "base/merge_marks.h"

#include <algorithm>

namespace vmcred {

std::size_t line_of_merge_mark(std::string_view text) {
  const auto line_begins = [&](std::string_view mark) {
    for (std::size_t at = text.find(mark); at != std::string_view::npos; at = text.find(mark, at + 1))
      if (at == 0 || text[at - 1] == '\n') return at;
    return std::string_view::npos;
  };
  const std::size_t begin = line_begins("<<<<<<< ");
  if (begin == std::string_view::npos || line_begins(">>>>>>> ") == std::string_view::npos) return 0;
  if (line_begins("=======\n") == std::string_view::npos && line_begins("=======\r\n") == std::string_view::npos)
    return 0;
  return 1 + static_cast<std::size_t>(std::ranges::count(text.substr(0, begin), '\n'));
}

}  // namespace vmcred
