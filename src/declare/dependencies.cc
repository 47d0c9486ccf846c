#include "declare/dependencies.h"

#include <algorithm>
#include <set>

namespace vmcred::declare {

std::string drawn_need(const Declaration& declaration, const std::string& generator, const std::string& missing) {
  std::string drawing = generator + " -> " + missing;
  std::set<std::string> seen = {generator};
  std::string here = generator;
  while (true) {
    const auto above = std::ranges::find_if(declaration.generators, [&](const auto& item) {
      return !seen.contains(item.first) &&
             std::ranges::find(item.second.dependencies, here) != item.second.dependencies.end();
    });
    if (above == declaration.generators.end()) return drawing;
    here = above->first;
    seen.insert(here);
    drawing.insert(0, here + " -> ");
  }
}

}  // namespace vmcred::declare
