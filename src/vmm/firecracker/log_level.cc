#include "vmm/firecracker/log_level.h"

#include <algorithm>
#include <array>

namespace vmcred::vmm::firecracker {
namespace {

constexpr std::string_view kOption = "--level";
constexpr std::string_view kLevel = "Warn";

/// src/vmm/src/logger, LevelFilter::from_str(), v1.16: any case.
bool is_quiet(std::string_view level) {
  static constexpr std::array<std::string_view, 4> kQuiet = {"off", "error", "warn", "warning"};
  std::string lower(level);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return std::ranges::find(kQuiet, lower) != kQuiet.end();
}

void warn(Launch& launch, std::string_view level) {
  launch.warnings.push_back(
      fmt::format("Firecracker's log level is {}, not {}: at that level it logs each request with its "
                  "body, the key of the vm's link among it",
                  kLevel, level));
}

}  // namespace

void bound_log_level(std::vector<std::string>& argv, Launch& launch) {
  bool found = false;
  for (std::size_t i = 1; i < argv.size() && argv[i] != "--"; ++i) {
    const bool joined =
        argv[i].starts_with(kOption) && argv[i].size() > kOption.size() && argv[i][kOption.size()] == '=';
    if (!joined && (argv[i] != kOption || i + 1 == argv.size())) continue;
    found = true;
    const std::string level = joined ? argv[i].substr(kOption.size() + 1) : argv[++i];
    if (is_quiet(level)) continue;
    argv[i] = (joined ? std::string(kOption) + "=" : std::string()) + std::string(kLevel);
    warn(launch, level);
  }
  if (!found) argv.insert(argv.begin() + 1, {std::string(kOption), std::string(kLevel)});
}

Json bounded_logger(Json section, Launch& launch) {
  const std::string level = section.string_at("level");
  if (level.empty() || is_quiet(level)) return section;
  warn(launch, level);
  section.set("level", kLevel);
  return section;
}

}  // namespace vmcred::vmm::firecracker
