#include "base/parallel.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace vmcred
