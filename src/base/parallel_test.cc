#include "base/parallel.h"

#include <algorithm>
#include <vector>

#include "no_threads.h"

namespace vmcred {
namespace {

TEST(InRanges, DoesEachItemOnce) {
  for (const std::size_t count : {0U, 1U, 63U, 64U, 129U, 1000U}) {
    std::vector<std::atomic<int>> times(count);
    in_ranges(count, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end; ++i) ++times[i];
    });
    for (const auto& each : times) EXPECT_EQ(each, 1);
  }
}

TEST(InRanges, DoesItAllWhereTheSystemGivesNoThread) {
  const testing::NoThreads none;
  std::vector<int> met(1000);
  in_ranges(
      met.size(),
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) ++met[i];
      },
      1);
  EXPECT_EQ(std::ranges::count(met, 1), 1000);
}

}  // namespace
}  // namespace vmcred
