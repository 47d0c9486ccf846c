// Ways from memory to a disk: swap, core files, and credentials on file systems that may be swapped.
#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "chain/doctor/doctor.h"
#include "supervise/guard_words.h"

namespace vmcred::chain::doctor {
namespace {

constexpr std::size_t kMaxTable = 4UL * 1024 * 1024;  // of a table in /proc

/// Words of a line, separated by blanks.
std::vector<std::string_view> words(std::string_view line) {
  std::vector<std::string_view> all;
  while (true) {
    const std::size_t begin = line.find_first_not_of(" \t");
    if (begin == std::string_view::npos) return all;
    const std::size_t end = std::min(line.find_first_of(" \t", begin), line.size());
    all.push_back(line.substr(begin, end - begin));
    line.remove_prefix(end);
  }
}

/// Why pages on this device are not in the clear on a disk; empty: they are.
std::string_view harmless_swap(const Doors& doors, std::string_view device) {
  const std::string name(device.substr(device.rfind('/') + 1));
  if (name.starts_with("zram")) return "it is memory, compressed";
  const auto uuid = read_file(doors.at("/sys/block/" + name + "/dm/uuid"), 4096);
  return uuid && uuid->starts_with("CRYPT-") ? "it is encrypted" : "";
}

void examine_swap(const Doors& doors, std::vector<Finding>& findings) {
  const auto swaps = read_file(doors.at("/proc/swaps"), kMaxTable);
  if (!swaps) return;
  std::string_view rest = *swaps;
  rest.remove_prefix(std::min(first_line(rest).size() + 1, rest.size()));
  Finding found = finding(Code::swap_on, {.file = "/proc/swaps"},
                          "memory of hypervisors and guests can be written to swap in the clear",
                          "turn it off, encrypt it, or use zram; the units of vmcred set MemorySwapMax=0");
  bool open = false;
  while (!rest.empty()) {
    const std::string_view line = first_line(rest);
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const auto parts = words(line);
    if (parts.empty()) continue;
    const std::string_view why = harmless_swap(doors, parts.front());
    if (why.empty()) open = true;
    found.details.push_back(why.empty() ? fmt::format("{}: in the clear", parts.front())
                                        : fmt::format("{}: {}", parts.front(), why));
  }
  if (!open) return;
  if (!exists(doors.at("/sys/fs/cgroup/cgroup.controllers")))
    found.details.emplace_back(
        "this machine has no unified control groups: systemd takes MemorySwapMax=0 and the kernel does not enforce it");
  findings.push_back(std::move(found));
}

bool is_hypervisor(std::string_view comm) {
  return comm.starts_with("qemu-") || comm.starts_with("qemu_") || comm == "kvm" ||
         comm.starts_with("cloud-hyperviso") || comm == "crosvm" || comm == "firecracker" || comm == "lkvm";
}

/// The soft limit in "Max core file size     0     unlimited     bytes".
std::string core_limit(std::string_view limits) {
  const std::size_t at = limits.find("Max core file size");
  if (at == std::string_view::npos) return "";
  const auto parts = words(first_line(limits.substr(at + std::string_view("Max core file size").size())));
  return parts.empty() ? "" : std::string(parts.front());
}

void examine_core_dumps(const Doors& doors, std::vector<Finding>& findings) {
  const auto pattern = read_file(doors.at("/proc/sys/kernel/core_pattern"), 4096);
  const auto entries = list_folder(doors.at("/proc"));
  if (!pattern || !entries) return;
  const std::string_view line = first_line(*pattern);
  const bool pipe = line.starts_with('|');
  // systemd-coredump keeps to the limit of the process that died; other programs get every core (core(5)).
  const bool takes_all = pipe && !line.contains("systemd-coredump");
  for (const std::string& pid : *entries) {
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string comm(first_line(read_file(doors.at("/proc/" + pid + "/comm"), 256).value_or("")));
    if (!is_hypervisor(comm)) continue;
    const std::string limit = core_limit(read_file(doors.at("/proc/" + pid + "/limits"), 64UL * 1024).value_or(""));
    if (limit.empty() || (limit == "0" && !takes_all)) continue;
    Finding found = finding(Code::core_dumps, {.file = fmt::format("process {} ({})", pid, supervise::loggable(comm))},
                            "a crash of this hypervisor leaves its memory, and so its guest's secrets, in a core file",
                            takes_all ? "the program in core_pattern gets cores whatever their limit is: use "
                                        "systemd-coredump, or a plain file name"
                                      : "LimitCORE=0 in its unit, as 'vmcred vm units' writes it");
    found.details.push_back(fmt::format("core_pattern is '{}', the limit of the process {}", line, limit));
    findings.push_back(std::move(found));
  }
}

struct Mount {
  std::string type;
  bool noswap = false;
};

/// Mount points and their file systems (proc(5), mountinfo); a later one covers an earlier one.
std::map<std::string, Mount> read_mounts(std::string_view mountinfo) {
  std::map<std::string, Mount> mounts;
  while (!mountinfo.empty()) {
    const std::string_view line = first_line(mountinfo);
    mountinfo.remove_prefix(std::min(line.size() + 1, mountinfo.size()));
    const std::size_t dash = line.find(" - ");
    const auto before = words(line.substr(0, dash));
    if (dash == std::string_view::npos || before.size() < 6) continue;
    const auto after = words(line.substr(dash + 3));
    if (after.empty()) continue;
    mounts[std::string(before[4])] = {std::string(after[0]),
                                      after.size() > 2 && ("," + std::string(after[2]) + ",").contains(",noswap,")};
  }
  return mounts;
}

/// The file system that holds `path`.
const Mount* mount_of(const std::map<std::string, Mount>& mounts, std::string path) {
  while (true) {
    if (const auto found = mounts.find(path); found != mounts.end()) return &found->second;
    if (path == "/") return nullptr;
    const std::size_t slash = path.rfind('/');
    path = slash == 0 ? "/" : path.substr(0, slash);
  }
}

void examine_mounts(const Doors& doors, std::vector<Finding>& findings) {
  const auto mountinfo = read_file(doors.at("/proc/self/mountinfo"), kMaxTable);
  if (!mountinfo) return;
  const auto mounts = read_mounts(*mountinfo);
  const auto look = [&](const std::string& folder, std::string_view what) {
    const auto names = list_folder(doors.at(folder));
    if (!names) return;
    for (const std::string& name : *names) {
      const std::string path = folder + "/" + name;
      if (!is_folder(doors.at(path)) || name == "@encrypted") continue;
      const auto inside = list_folder(doors.at(path));
      if (inside && inside->empty()) continue;
      const Mount* mount = mount_of(mounts, path);
      if (mount == nullptr || mount->type == "ramfs" || mount->noswap) continue;
      findings.push_back(
          finding(Code::swappable_credentials, {.file = path},
                  fmt::format("{} lie on {}, which can be written to swap", what, mount->type),
                  "systemd needs the right to mount (CAP_SYS_ADMIN) for ramfs; in a container it may lack it"));
    }
  };
  look("/run/credentials", "credentials");
  look("/run/vmcred.d", "activated vars");
}

}  // namespace

std::vector<Finding> examine_memory(const Doors& doors) {
  std::vector<Finding> findings;
  examine_swap(doors, findings);
  examine_core_dumps(doors, findings);
  examine_mounts(doors, findings);
  return findings;
}

}  // namespace vmcred::chain::doctor
