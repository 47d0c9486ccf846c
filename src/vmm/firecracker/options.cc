#include "vmm/firecracker/options.h"

#include <array>
#include <vector>

namespace vmcred::vmm::firecracker {
namespace {

constexpr Takes kFlag = Takes::nothing;
constexpr std::string_view kOwn = "the supervisor tells Firecracker its vm";

/// v1.0 to v1.16, src/firecracker/src/main.rs.
constexpr auto kListed = std::to_array<ListedOption>({
    {"--id"},
    {"--seccomp-filter"},
    {"--seccomp-level"},
    {"--no-seccomp", kFlag},
    {"--start-time-us"},
    {"--start-time-cpu-us"},
    {"--parent-cpu-time-us"},
    {"--log-path"},
    {"--level"},
    {"--module"},
    {"--show-level", kFlag},
    {"--show-log-origin", kFlag},
    {"--metrics-path"},
    {"--boot-timer", kFlag},
    {"--http-api-max-payload-size"},
    {"--mmds-size-limit"},
    {"--enable-pci", kFlag},
    {"--version", kFlag},
});
/// Of somebody else's command line: where its vm stands, which we hand over by the API.
constexpr auto kOfCommandLines = std::to_array<ListedOption>({{"--api-sock"}, {"--config-file"}, {"--no-api", kFlag}});

constexpr auto kRefused = std::to_array<RefusedOption>({
    {"--metadata", "every process of the guest reads it", "declare what it holds as credentials"},
    {"--describe-snapshot", "it starts no vm", "remove it"},
    {"--snapshot-version", "it starts no vm", "remove it"},
});
constexpr auto kOurs = std::to_array<RefusedOption>({
    {"--api-sock", kOwn, "remove it"},
    {"--config-file", kOwn, "remove it"},
    {"--no-api", kOwn, "remove it"},
});

}  // namespace

Result<> check_options(std::span<const std::string> words, const AllowedOptions& allowed, Origin origin) {
  std::vector<ListedOption> listed(kListed.begin(), kListed.end());
  std::vector<RefusedOption> refused(kRefused.begin(), kRefused.end());
  if (origin == Origin::command_line) {
    listed.insert(listed.end(), kOfCommandLines.begin(), kOfCommandLines.end());
  } else {
    refused.insert(refused.end(), kOurs.begin(), kOurs.end());
  }
  TRY(read_listed(words, listed, refused, allowed, origin));
  return {};
}

}  // namespace vmcred::vmm::firecracker
