#include "declare/values.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <vector>

namespace vmcred::declare {
namespace {

struct Unit {
  char letter;
  std::uint64_t factor;
};

constexpr Unit kSizes[] = {{'T', 1ULL << 40}, {'G', 1ULL << 30}, {'M', 1ULL << 20}, {'K', 1ULL << 10}};
constexpr Unit kSeconds[] = {{'h', 3600}, {'m', 60}, {'s', 1}};
constexpr Unit kDays[] = {{'y', 365}, {'w', 7}, {'d', 1}};
constexpr std::uint64_t kMaxSize = 1ULL << 62;
constexpr std::uint64_t kMaxSeconds = 365ULL * 24 * 3600;
constexpr std::uint64_t kMaxDays = 36500;

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty()) return {};
  return value;
}

template <std::size_t N>
std::optional<std::uint64_t> with_unit(std::string_view text, const Unit (&units)[N], std::uint64_t most) {
  if (text.empty()) return {};
  for (const Unit& unit : units) {
    if (text.back() != unit.letter) continue;
    const auto value = number(text.substr(0, text.size() - 1));
    if (!value || *value > most / unit.factor) return {};
    return *value * unit.factor;
  }
  return {};
}

template <std::size_t N>
std::string in_largest(std::uint64_t value, const Unit (&units)[N]) {
  for (const Unit& unit : units)
    if (value != 0 && value % unit.factor == 0) return fmt::format("{}{}", value / unit.factor, unit.letter);
  return std::to_string(value);
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  if (const auto bytes = number(text); bytes && *bytes <= kMaxSize) return bytes;
  return with_unit(text, kSizes, kMaxSize);
}

std::string format_size(std::uint64_t bytes) { return in_largest(bytes, kSizes); }

std::optional<std::chrono::seconds> parse_seconds(std::string_view text) {
  const auto value = with_unit(text, kSeconds, kMaxSeconds);
  if (!value) return {};
  return std::chrono::seconds(*value);
}

std::string format_seconds(std::chrono::seconds value) {
  return value.count() == 0 ? "0s" : in_largest(static_cast<std::uint64_t>(value.count()), kSeconds);
}

std::optional<std::chrono::days> parse_days(std::string_view text) {
  const auto value = with_unit(text, kDays, kMaxDays);
  if (!value || *value == 0) return {};
  return std::chrono::days(*value);
}

std::string format_days(std::chrono::days value) { return fmt::format("{}d", value.count()); }

std::optional<std::uint32_t> parse_mode(std::string_view text) {
  if (text.size() != 4 || text.find_first_not_of("01234567") != std::string_view::npos) return {};
  std::uint32_t mode = 0;
  std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  return mode;
}

std::string format_mode(std::uint32_t mode) { return fmt::format("{:04o}", mode); }

std::string absolute_path(std::string_view folder, std::string_view path) {
  std::string whole = path.starts_with('/') ? std::string(path) : fmt::format("{}/{}", folder, path);
  std::vector<std::string_view> steps;
  const std::string_view view = whole;
  for (std::size_t start = 0; start < view.size();) {
    const std::size_t end = std::min(view.find('/', start), view.size());
    const std::string_view step = view.substr(start, end - start);
    if (step == "..") {
      if (!steps.empty()) steps.pop_back();
    } else if (!step.empty() && step != ".") {
      steps.push_back(step);
    }
    start = end + 1;
  }
  std::string result;
  for (const std::string_view step : steps) result.append("/").append(step);
  return result.empty() ? "/" : result;
}

bool plain_text(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) { return (c >= 0 && c < 0x20) || c == 0x7f; });
}

}  // namespace vmcred::declare
