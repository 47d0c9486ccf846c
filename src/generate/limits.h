// Telling that a script goes over a limit: while it runs, and from how it ended.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/process.h"
#include "generate/sandbox.h"

namespace vmcred::generate {

/// How many files a script may have in each of its folders: the kernel's memory for names is in no size limit.
inline constexpr std::uint64_t kMaxFiles = 64 * 1024;

/// A running sandbox, looked at from outside. What no rlimit bounds is bounded by looking: the memory of all its
/// processes together, and the number of its files.
class Consumption {
 public:
  /// Of the sandbox whose root folder is `root` ("/proc/PID/root").
  static Result<Consumption> of(const std::string& root);
  /// Which limit is crossed, in words; nothing as long as none is.
  [[nodiscard]] std::optional<std::string> excess(const Limits& limits) const;

 private:
  [[nodiscard]] std::uint64_t memory_bytes() const;
  Fd processes_;  ///< its /proc
  Fd work_;
  Fd scratch_;
  Fd semaphores_;  ///< /dev/shm
  Fd network_;     ///< /proc/1/net
};

/// Which limit a script hit that ended with `status` and these words; nothing when it failed by itself.
std::optional<std::string> limit_hit(const Limits& limits, const ExitStatus& status, std::string_view log,
                                     const Fd& work);

/// "it needed more than 1024 MiB of memory"
std::string memory_text(const Limits& limits);

/// "2 s", "300 ms"
std::string spoken(std::chrono::milliseconds time);

}  // namespace vmcred::generate
