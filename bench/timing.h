// What the benches share: series of interleaved rounds, their medians and extremes, and programs run from outside.
#pragma once

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/process.h"

namespace vmcred::bench {

[[noreturn]] inline void stop(const std::string& why) {
  fmt::print(stderr, "bench: {}\n", why);
  std::exit(1);  // NOLINT(concurrency-mt-unsafe)
}
template <class T>
T must(Result<T> result) {
  if (!result) stop(result.error().message);
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

inline double milliseconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// One thing that is measured; `scale`: what one round stands for.
struct Series {
  std::string name;
  std::function<void()> work;
  double scale = 1;
  std::vector<double> times = {};

  [[nodiscard]] double median() const {
    std::vector<double> sorted = times;
    std::ranges::sort(sorted);
    return sorted[sorted.size() / 2];
  }
  /// "12.3 ms (11.0 … 15.2)"
  [[nodiscard]] std::string text() const {
    const auto [least, most] = std::ranges::minmax(times);
    return fmt::format("{:.1f} ms ({:.1f} … {:.1f})", median(), least, most);
  }
};

/// Rounds of all of them, one after the other.
inline void measure(std::vector<Series>& all, std::size_t rounds) {
  (void)std::fflush(stdout);
  for (std::size_t round = 0; round < rounds; ++round)
    for (Series& one : all) one.times.push_back(milliseconds(one.work) * one.scale);
}

/// The program under test, which bench/run names.
inline std::string program() {
  const char* path = std::getenv("VMCRED");  // NOLINT(concurrency-mt-unsafe)
  if (path == nullptr) stop("set VMCRED to the program; bench/run does");
  return path;
}

/// Runs a program with its output to nowhere; gives its largest resident memory in MiB. `expect`: its exit code.
inline double run_quietly(const std::vector<std::string>& argv, int expect = 0,
                          const std::vector<std::string>& environment = {}) {
  std::vector<std::string> variables = environment;
  variables.emplace_back("PATH=/usr/bin:/bin:/usr/sbin:/sbin");
  std::vector<char*> words;
  std::vector<char*> values;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));          // NOLINT
  for (const std::string& value : variables) values.push_back(const_cast<char*>(value.c_str()));  // NOLINT
  words.push_back(nullptr);
  values.push_back(nullptr);
  const pid_t child = ::vfork();
  if (child == 0) {
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    ::dup2(null, 0);
    ::dup2(null, 1);
    ::dup2(null, 2);
    ::execvpe(words[0], words.data(), values.data());
    ::_exit(127);
  }
  int status = 0;
  rusage usage = {};
  ::wait4(child, &status, 0, &usage);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != expect)
    stop(fmt::format("'{}' ended with status {:#x}, not with exit code {}", argv[0], status, expect));
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace vmcred::bench
