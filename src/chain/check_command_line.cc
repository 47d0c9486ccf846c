// Findings of a hypervisor's command line that somebody else built: whose it is, and what every one of them may show.
#include <algorithm>
#include <array>

#include "chain/check.h"
#include "chain/command_words.h"

namespace vmcred::chain {
namespace {

std::string_view name_of(std::string_view program) { return program.substr(program.rfind('/') + 1); }

/// Programs that run the one that their arguments name.
bool runs_another(std::string_view name) {
  static constexpr std::array<std::string_view, 16> kAll{
      "sudo",    "env",     "nice",  "ionice", "taskset", "numactl", "chrt",   "systemd-run",
      "setpriv", "unshare", "nohup", "exec",   "command", "strace",  "setsid", "prlimit"};
  return std::ranges::find(kAll, name) != kAll.end();
}

/// Where the hypervisor stands: "sudo env A=b qemu-system-x86_64 …".
std::size_t program_in(const std::vector<std::string>& all) {
  if (all.empty() || !runs_another(name_of(all[0]))) return 0;
  for (std::size_t i = 1; i < all.size(); ++i)
    if (!all[i].starts_with('-') && !name_of(all[i]).contains('=') && reads_command_line_of(all[i])) return i;
  return 0;
}

}  // namespace

bool reads_command_line_of(std::string_view program) {
  const std::string_view name = name_of(program);
  const auto named = [name](std::string_view part) {
    return name.contains(part);
  };  // Nix wraps: ".qemu-system-x86_64-wrapped"
  return name == "kvm" || named("lkvm") || named("kvmtool") || named("qemu") || named("crosvm") ||
         named("cloud-hypervisor") || named("firecracker") || name == "jailer" || named("systemd-vmspawn") ||
         named("systemd-nspawn") || name == "mkosi" || named("virt-install");
}

bool reads_command_line(const std::vector<std::string>& words) {
  return !words.empty() && reads_command_line_of(words[program_in(words)]);
}

void judge_other_words(Words& words) {
  for (std::size_t i = 1; i < words.all.size(); ++i) {
    if (words.told[i]) continue;
    const std::string& before = words.all[i - 1];  // "--token VALUE"
    const bool option = before.starts_with('-') && !before.contains('=') && !words.all[i].starts_with('-');
    const auto what = shape::looks_like_secret(words.all[i], option ? std::string_view(before) : std::string_view());
    if (what)
      words.add(Code::secret_on_command_line, i, fmt::format("an argument looks like a secret: {}", *what),
                std::string(kWhoReadsCommandLines));
  }
}

std::vector<Finding> check_command_line(const std::vector<std::string>& given, const std::string& name, int systemd,
                                        const std::vector<declare::Place>& places, NamedFiles files) {
  std::vector<Finding> findings;
  if (given.empty()) return findings;
  // Words before the program keep their numbers.
  const std::size_t at = program_in(given);
  std::vector<std::string> all = given;
  if (at > 0) std::swap(all[0], all[at]);
  Words words{all, name, systemd, findings, places, files == NamedFiles::read, std::vector<bool>(all.size(), false)};
  if (at > 0) words.told[at] = true;
  const std::string_view program = name_of(all[0]);
  if (program.contains("qemu") || program == "kvm") {
    check_qemu(words);
  } else if (program.contains("crosvm")) {
    check_crosvm(words);
  } else if (program.contains("firecracker") || program == "jailer") {
    check_firecracker(words);
  } else if (program.contains("vmspawn") || program.contains("nspawn") || program == "mkosi" ||
             program.contains("virt-install")) {
    check_vm_tool(words, program);
  } else {
    check_cloud_hypervisor(words);
  }
  judge_other_words(words);
  return findings;
}

}  // namespace vmcred::chain
