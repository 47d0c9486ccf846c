#include "base/clock.h"

#include <algorithm>
#include <array>
#include <ctime>

namespace vmcred {
namespace {

class RealClock final : public Clock {
 public:
  [[nodiscard]] SystemTime now() const override { return std::chrono::system_clock::now(); }
  [[nodiscard]] SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace

const Clock& real_clock() {
  static const RealClock instance;
  return instance;
}

std::string rfc3339(SystemTime time) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(time));
  std::tm parts = {};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                     parts.tm_hour, parts.tm_min, parts.tm_sec);
}

Result<SystemTime> parse_rfc3339(std::string_view text) {
  const auto refuse = [text] {
    return fail(Errc::invalid_data, "'{}' is no time of the form 2026-01-02T03:04:05Z", text);
  };
  constexpr std::string_view kForm = "dddd-dd-ddTdd:dd:ddZ";
  if (text.size() != kForm.size()) return refuse();
  std::array<int, 6> fields = {};
  std::size_t field = 0;
  for (std::size_t i = 0; i < kForm.size(); ++i) {
    if (kForm[i] != 'd') {
      if (text[i] != kForm[i]) return refuse();
      ++field;
    } else if (text[i] >= '0' && text[i] <= '9') {
      fields.at(field) = fields.at(field) * 10 + (text[i] - '0');
    } else {
      return refuse();
    }
  }
  const std::chrono::year_month_day day{std::chrono::year{fields[0]},
                                        std::chrono::month{static_cast<unsigned>(fields[1])},
                                        std::chrono::day{static_cast<unsigned>(fields[2])}};
  if (!day.ok() || fields[3] > 23 || fields[4] > 59 || fields[5] > 59) return refuse();
  const std::chrono::sys_seconds time = std::chrono::sys_days(day) + std::chrono::hours(fields[3]) +
                                        std::chrono::minutes(fields[4]) + std::chrono::seconds(fields[5]);
  constexpr auto kFirst = std::chrono::ceil<std::chrono::seconds>(SystemTime::min());
  constexpr auto kLast = std::chrono::floor<std::chrono::seconds>(SystemTime::max());
  return std::clamp(time, kFirst, kLast);
}

}  // namespace vmcred
