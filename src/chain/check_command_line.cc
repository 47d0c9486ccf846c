// Findings of a hypervisor's command line that somebody else built; QEMU's options.
#include <algorithm>

#include "chain/check.h"
#include "chain/command_words.h"
#include "chain/exposed.h"

namespace vmcred::chain {
namespace {

bool is_microvm(const std::vector<std::string>& all) {
  for (std::size_t i = 1; i + 1 < all.size(); ++i) {
    if (all[i] != "-M" && all[i] != "-machine" && all[i] != "--machine") continue;
    if (all[i + 1].starts_with("microvm") || all[i + 1].find("type=microvm") != std::string::npos) return true;
  }
  return false;
}

void check_smbios(Words& words, std::size_t index, bool microvm, std::vector<OpenString>& strings) {
  const auto list = properties(words.all[index]);
  if (std::ranges::none_of(list, [](const auto& each) { return each.first == "type" && each.second == "11"; })) return;
  if (microvm) {
    words.add(Code::smbios_ignored, index, "QEMU's machine type microvm takes -smbios and drops it",
              "use -fw_cfg, or the machine type q35");
  }
  for (const auto& [key, text] : list) {
    if (key == "value") {
      strings.push_back({text, words.place(index)});
      words.told[index] = true;
    }
    if (key == "path") {
      words.add(Code::path_overrun, index, "QEMU before 10.0 reads past the end of what type=11,path= names",
                "use -smbios file= with a whole structure, as vmcred does");
    }
  }
}

void check_qemu(Words& words) {
  const bool microvm = is_microvm(words.all);
  std::vector<OpenString> smbios;
  std::vector<OpenString> fw_cfg;
  for (std::size_t i = 1; i + 1 < words.all.size(); ++i) {
    std::string option = words.all[i];
    if (option.starts_with("--")) option.erase(0, 1);
    if (option == "-append") check_kernel_words(words, i + 1);
    if (option == "-smbios") check_smbios(words, i + 1, microvm, smbios);
    if (option == "-fw_cfg") check_fw_cfg(words, i + 1, fw_cfg);
  }
  judge_strings(smbios, Code::secret_on_command_line, kWhoReadsCommandLines, words.findings);
  judge_strings(fw_cfg, Code::secret_on_command_line, kWhoReadsCommandLines, words.findings);
  if (!smbios.empty() && !microvm) judge_amount(smbios, words.systemd, words.findings);
}

std::string_view name_of(std::string_view program) { return program.substr(program.rfind('/') + 1); }

}  // namespace

bool reads_command_line_of(std::string_view program) {
  const std::string_view name = name_of(program);
  const auto named = [name](std::string_view part) { return name.contains(part); };  // Nix wraps: ".qemu-system-x86_64-wrapped"
  return name == "kvm" || named("lkvm") || named("kvmtool") || named("qemu") || named("crosvm") || named("cloud-hypervisor") ||
         named("firecracker");
}

std::vector<Finding> check_command_line(const std::vector<std::string>& all, const std::string& name, int systemd) {
  std::vector<Finding> findings;
  if (all.empty()) return findings;
  Words words{all, name, systemd, findings, std::vector<bool>(all.size(), false)};
  const std::string_view program = name_of(all[0]);
  if (program.contains("qemu") || program == "kvm") {
    check_qemu(words);
  } else if (program.contains("crosvm")) {
    check_crosvm(words);
  } else {
    check_cloud_hypervisor(words);
  }
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (words.told[i]) continue;
    const std::size_t equals = all[i].find('=');
    const auto what = shape_of(all[i]);
    const auto named = equals == std::string::npos ? std::nullopt : exposed(std::string_view(all[i]).substr(0, equals), std::string_view(all[i]).substr(equals + 1));
    const bool secret = what.has_value() || (named.has_value() && all[i].find(',') == std::string::npos);
    if (secret) words.add(Code::secret_on_command_line, i, fmt::format("an argument looks like a secret: {}", what ? std::string(*what) : *named), std::string(kWhoReadsCommandLines));
  }
  return findings;
}

}  // namespace vmcred::chain
