// The clock, the private keys of this machine, and whether its vars are activated.
#include <sys/stat.h>

#include <algorithm>

#include "base/file.h"
#include "chain/doctor/doctor.h"

namespace vmcred::chain::doctor {
namespace {

constexpr const char* kHostKeys[] = {"/var/lib/vmcred/key.txt", "/var/lib/sops-nix/key.txt"};
constexpr const char* kSealedKey = "/etc/credstore.encrypted/vmcred.identity";
/// Touched while a clock was right: systemd's epoch, what timesyncd saw last (systemd starts no earlier than these).
constexpr const char* kTimeStamps[] = {"/usr/lib/clock-epoch", "/var/lib/systemd/timesync/clock"};
constexpr std::chrono::minutes kTolerance{5};

std::optional<SystemTime> changed_at(const std::string& path) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0) return {};
  return SystemTime(std::chrono::seconds(status.st_mtim.tv_sec));
}

void examine_clock(const Doors& doors, const Clock& clock, const KeyWish& wish, std::vector<Finding>& findings) {
  std::vector<std::string> paths(std::begin(kTimeStamps), std::end(kTimeStamps));
  if (!wish.project.empty()) {
    for (const char* const below : {"/vars", "/sops", "/vmcred.toml", "/vmcred.json"})
      paths.push_back(wish.project + below);
  }
  for (const std::string& path : paths) {
    const auto time = changed_at(doors.at(path));
    if (!time || *time < clock.now() + kTolerance) continue;
    findings.push_back(
        finding(Code::clock_behind, {.file = path},
                fmt::format("this is from {}, and this machine's clock says {}", rfc3339(*time), rfc3339(clock.now())),
                "set the clock (timedatectl): rotations and sops files take their times from it"));
    return;
  }
}

/// A private key must be its owner's alone.
void examine_key(const Doors& doors, const std::string& path, bool root_owns, std::vector<Finding>& findings) {
  struct stat status = {};
  if (::stat(doors.at(path).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return;
  if ((status.st_mode & 0077) != 0) {
    findings.push_back(finding(
        Code::open_key, {.file = path},
        fmt::format("others can read or change this private key: its mode is {:04o}", status.st_mode & 07777),
        fmt::format("chmod 0400 {}; if somebody may have read it, make a new one ('vmcred vars keygen')", path)));
  }
  if (root_owns && status.st_uid != 0) {
    findings.push_back(finding(Code::open_key, {.file = path},
                               fmt::format("this private key of the machine belongs to uid {}", status.st_uid),
                               fmt::format("chown root:root {}", path)));
  }
}

void examine_folders(const Doors& doors, std::vector<Finding>& findings) {
  for (const char* const path :
       {"/etc/credstore", "/etc/credstore.encrypted", "/run/credstore", "/run/credstore.encrypted"}) {
    struct stat status = {};
    if (::stat(doors.at(path).c_str(), &status) != 0 || (status.st_mode & 0077) == 0) continue;
    findings.push_back(finding(
        Code::open_key, {.file = path},
        fmt::format("others can look into this folder of credentials: its mode is {:04o}", status.st_mode & 07777),
        fmt::format("chmod 0700 {}", path)));
  }
}

}  // namespace

std::vector<Finding> examine_keys(const Doors& doors, const Clock& clock, const KeyWish& wish) {
  std::vector<Finding> findings;
  examine_clock(doors, clock, wish, findings);
  for (const char* const path : kHostKeys) examine_key(doors, path, true, findings);
  if (!wish.operator_key.empty()) examine_key({.root = {}, .run = {}}, wish.operator_key, false, findings);
  examine_folders(doors, findings);
  if (!wish.needs_key) return findings;
  const bool has_key = exists(doors.at(kSealedKey)) ||
                       std::ranges::any_of(kHostKeys, [&](const char* path) { return exists(doors.at(path)); });
  if (!has_key) {
    Finding found =
        finding(Code::no_key, {.file = kHostKeys[0]}, "this machine has no private key, so it can activate nothing",
                "'vmcred vars keygen' makes one on the workstation; bring it here with mode 0400, or sealed as "
                "vmcred.identity");
    for (const char* const path : {kSealedKey, kHostKeys[0], kHostKeys[1]})
      found.details.push_back(fmt::format("'{}': no such file", path));
    findings.push_back(std::move(found));
  }
  if (!exists(doors.at("/run/vmcred/vars"))) {
    findings.push_back(finding(Code::not_activated, {.file = "/run/vmcred/vars"},
                               "the vars of this machine are not activated, so its vms cannot start",
                               "systemctl start vmcred-activate ('vmcred activate')"));
  }
  return findings;
}

}  // namespace vmcred::chain::doctor
