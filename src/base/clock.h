// The one door to time, so that tests can hold the clock still.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/result.h"

namespace vmcred {

using SystemTime = std::chrono::system_clock::time_point;
using SteadyTime = std::chrono::steady_clock::time_point;

class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual SystemTime now() const = 0;
  [[nodiscard]] virtual SteadyTime steady() const = 0;
};

/// The machine's clock.
const Clock& real_clock();

/// "2026-01-02T03:04:05Z": whole seconds, UTC (RFC 3339).
std::string rfc3339(SystemTime time);
/// The same form back; any other form is `invalid_data`. The system's clock reaches from 1677 to 2262: a time beyond
/// that becomes its nearest end.
Result<SystemTime> parse_rfc3339(std::string_view text);

}  // namespace vmcred
