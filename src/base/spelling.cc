#include "base/spelling.h"

#include <fmt/core.h>

#include <algorithm>
#include <cctype>
#include <numeric>

namespace vmcred {
namespace {

/// Levenshtein distance, case ignored.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const bool same =
          std::tolower(static_cast<unsigned char>(a[i])) == std::tolower(static_cast<unsigned char>(b[j]));
      const std::size_t replaced = diagonal + (same ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, replaced});
    }
  }
  return row.back();
}

}  // namespace

std::string nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  // One slip in a short word, two in a longer one (a swap counts as two), a third of the letters beyond that.
  std::size_t best_distance = (word.size() < 4 ? 1 : std::max<std::size_t>(2, word.size() / 3)) + 1;
  for (const std::string& candidate : candidates) {
    if (candidate == word) continue;
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string best = nearest_word(word, candidates);
  return best.empty() ? "" : fmt::format("did you mean '{}'?", best);
}

std::string near_or_known(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr std::size_t kShown = 6;
  if (std::string near = did_you_mean(word, candidates); !near.empty()) return near;
  if (candidates.empty()) return "there is none";
  std::string text = candidates.size() == 1 ? "there is" : "there are";
  const std::size_t shown = candidates.size() > kShown + 1 ? kShown : candidates.size();
  for (std::size_t i = 0; i < shown; ++i)
    text += fmt::format("{}'{}'", i == 0 ? " " : i + 1 == candidates.size() ? " and " : ", ", candidates[i]);
  if (shown < candidates.size()) text += fmt::format(" and {} more", candidates.size() - shown);
  return text;
}

}  // namespace vmcred
