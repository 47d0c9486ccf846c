#include "declare/problem.h"

#include <algorithm>

namespace vmcred::declare {

std::string where(const Place& place) {
  if (place.line > 0) return fmt::format("{}:{}:{}", place.file, place.line, place.column);
  if (!place.pointer.empty()) return fmt::format("{}#{}", place.file, place.pointer);
  return place.file;
}

Error to_error(const std::vector<Problem>& problems) {
  const Problem& first = problems.front();
  const bool reference =
      std::ranges::all_of(problems, [](const Problem& p) { return p.fault == Fault::unknown_reference; });
  const Errc code = reference ? Errc::not_found : Errc::invalid_data;
  if (problems.size() == 1) return {code, fmt::format("{}: {}", where(first.place), first.message), first.hint};
  std::string all = fmt::format("{} problems in '{}'", problems.size(), first.place.file);
  for (const Problem& problem : problems) {
    all += fmt::format("\n  {}: {}", where(problem.place), problem.message);
    if (!problem.hint.empty()) all += fmt::format(" ({})", problem.hint);
  }
  return {code, std::move(all), {}};
}

}  // namespace vmcred::declare
