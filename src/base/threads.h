// Threads that are a help, not a need.
#pragma once

#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

namespace vmcred {

/// Starts up to `count` threads, each with a copy of `work`. Where the system gives no more (a limit of the user's or
/// of the unit's tasks) there are fewer, or none: the caller does the work too, and so all of it is done.
template <class Work>
std::vector<std::jthread> start_threads(std::size_t count, const Work& work) {
  std::vector<std::jthread> started;
  started.reserve(count);
  try {
    while (started.size() < count) started.emplace_back(work);
  } catch (const std::system_error&) {  // those that are there do it all
  }
  return started;
}

}  // namespace vmcred
