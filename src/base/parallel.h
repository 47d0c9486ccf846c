// The same work on many items, on all cores.
#pragma once

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "base/threads.h"

namespace vmcred {

/// Calls `work(begin, end)` for ranges that together are 0 … count, from several threads at once; few items stay on
/// this one, as all do where the system gives no other. Returns when all of it is done. Each thread has a copy of
/// `work`, so what that keeps in itself is its own. The other threads also have descriptors of their own (copies of
/// those that are open now): `work` closes what it opens, and hands on what it read.
template <class Work>
void in_ranges(std::size_t count, Work work, std::size_t least = 64) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t threads = std::min(cores, count / least);
  if (threads < 2) {
    if (count > 0) work(std::size_t{0}, count);
    return;
  }
  std::atomic<std::size_t> next = 0;
  const auto take = [&next, count, least](Work own) {
    while (true) {
      const std::size_t begin = next.fetch_add(least);
      if (begin >= count) return;
      own(begin, std::min(begin + least, count));
    }
  };
  const auto help = [&take, &work] {
    // One table for all threads makes each open and close wait for those of the others. Refused, it is only slower.
    (void)::unshare(CLONE_FILES);
    take(work);
  };
  const std::vector<std::jthread> others = start_threads(threads - 1, help);
  take(work);
}

}  // namespace vmcred
