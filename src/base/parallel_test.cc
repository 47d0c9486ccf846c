#include "base/parallel.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <vector>

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
  pthread_attr_t usual = {};
  ASSERT_EQ(::pthread_getattr_default_np(&usual), 0);
  pthread_attr_t impossible = {};
  ASSERT_EQ(::pthread_attr_init(&impossible), 0);
  ASSERT_EQ(::pthread_attr_setstacksize(&impossible, std::size_t{1} << 50), 0);  // more than there are addresses
  ASSERT_EQ(::pthread_setattr_default_np(&impossible), 0);
  std::vector<int> met(1000);
  in_ranges(met.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) ++met[i];
  }, 1);
  EXPECT_EQ(::pthread_setattr_default_np(&usual), 0);
  EXPECT_EQ(std::ranges::count(met, 1), 1000);
}

}  // namespace
}  // namespace vmcred
