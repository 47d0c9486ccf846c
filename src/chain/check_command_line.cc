// Findings of a hypervisor's command line that somebody else built.
#include <algorithm>

#include "chain/check.h"
#include "chain/exposed.h"
#include "chain/oem_strings.h"
#include "credential/limits.h"

namespace vmcred::chain {
namespace {

constexpr std::string_view kFwCfgFolder = "opt/io.systemd.credentials/";
constexpr std::string_view kWho = "everybody on the host reads command lines";

struct Words {
  const std::vector<std::string>& all;
  const std::string& name;
  int systemd;
  std::vector<Finding>& findings;
  std::vector<bool> told;  ///< words that have a finding of their own

  [[nodiscard]] declare::Place place(std::size_t index) const { return {.file = fmt::format("{}, argument {}", name, index)}; }
  void add(Code code, std::size_t index, std::string message, std::string hint) {
    told[index] = true;
    findings.push_back(finding(code, place(index), std::move(message), std::move(hint)));
  }
};

/// QEMU's key=value lists: ',' separates, ',,' is a comma.
std::vector<std::pair<std::string, std::string>> properties(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> all;
  std::string word;
  const auto finish = [&] {
    const std::size_t equals = word.find('=');
    all.emplace_back(word.substr(0, equals), equals == std::string::npos ? "" : word.substr(equals + 1));
    word.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != ',') {
      word += text[i];
    } else if (i + 1 < text.size() && text[i + 1] == ',') {
      word += text[i++];
    } else {
      finish();
    }
  }
  finish();
  return all;
}

void check_kernel_words(Words& words, std::size_t index) {
  if (words.all[index].find("systemd.set_credential") == std::string::npos) return;
  words.add(Code::on_kernel_command_line, index, "the kernel's command line sets a credential",
            "everybody in the guest reads /proc/cmdline: deliver it with vmcred");
}

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

void check_fw_cfg(Words& words, std::size_t index, std::vector<OpenString>& strings) {
  std::string name;
  std::string text;
  for (const auto& [key, given] : properties(words.all[index])) {
    if (key == "name") name = given;
    if (key.starts_with("opt/")) name = key;
    if (key == "string") text = given;
  }
  if (!name.starts_with(kFwCfgFolder)) return;
  const std::string credential = name.substr(kFwCfgFolder.size());
  if (credential.size() > credential::kMaxFwCfgName) {
    words.add(Code::fw_cfg_name_too_long, index,
              fmt::format("the name '{}' is {} bytes, fw_cfg takes {}", credential, credential.size(), credential::kMaxFwCfgName),
              "use a shorter name, or SMBIOS");
  }
  if (text.empty()) return;
  strings.push_back({fmt::format("io.systemd.credential:{}={}", credential, text), words.place(index)});
  words.told[index] = true;
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
  judge_strings(smbios, Code::secret_on_command_line, kWho, words.findings);
  judge_strings(fw_cfg, Code::secret_on_command_line, kWho, words.findings);
  if (!smbios.empty() && !microvm) judge_amount(smbios, words.systemd, words.findings);
}

/// The items of `oem_strings=[A,B]` (also `oem-strings`), as the hypervisor's parser splits them.
std::vector<std::string> list_items(std::string_view text) {
  std::vector<std::string> items;
  for (const std::string_view key : {"oem_strings=[", "oem-strings=["}) {
    const std::size_t at = text.find(key);
    if (at == std::string_view::npos) continue;
    std::string_view rest = text.substr(at + key.size());
    const std::size_t end = rest.rfind(']');
    rest = rest.substr(0, end);
    for (std::size_t start = 0; start <= rest.size();) {
      const std::size_t comma = std::min(rest.find(',', start), rest.size());
      items.emplace_back(rest.substr(start, comma - start));
      start = comma + 1;
    }
  }
  return items;
}

void check_list(Words& words, std::size_t index) {
  std::vector<OpenString> strings;
  bool cut = false;
  for (const std::string& item : list_items(words.all[index])) {
    strings.push_back({item, words.place(index)});
    cut = cut || item.empty() || item.find_first_of("\"[] ") != std::string::npos || !item.starts_with("io.systemd.");
  }
  if (strings.empty()) return;
  words.told[index] = true;
  judge_strings(strings, Code::secret_on_command_line, kWho, words.findings);
  judge_amount(strings, words.systemd, words.findings);
  if (cut) {
    words.add(Code::split_at_commas, index, "the list of OEM strings is split at commas, and brackets, quotes and spaces are lost",
              "a value must be base64 in the form io.systemd.credential.binary:NAME=BASE64");
  }
}

void check_rust_vmm(Words& words) {
  for (std::size_t i = 1; i < words.all.size(); ++i) {
    check_list(words, i);
    const bool kernel = words.all[i - 1] == "--cmdline" || words.all[i - 1] == "--params" || words.all[i - 1] == "-p";
    if (kernel) check_kernel_words(words, i);
  }
}

}  // namespace

std::vector<Finding> check_command_line(const std::vector<std::string>& all, const std::string& name, int systemd) {
  std::vector<Finding> findings;
  if (all.empty()) return findings;
  Words words{all, name, systemd, findings, std::vector<bool>(all.size(), false)};
  const std::string program = all[0].substr(all[0].rfind('/') + 1);
  if (program.find("qemu") != std::string::npos || program == "kvm") {
    check_qemu(words);
  } else {
    check_rust_vmm(words);
  }
  for (std::size_t i = 1; i < all.size(); ++i) {
    if (words.told[i]) continue;
    const std::size_t equals = all[i].find('=');
    const auto what = shape_of(all[i]);
    const auto named = equals == std::string::npos ? std::nullopt : exposed(std::string_view(all[i]).substr(0, equals), std::string_view(all[i]).substr(equals + 1));
    const bool secret = what.has_value() || (named.has_value() && all[i].find(',') == std::string::npos);
    if (secret) words.add(Code::secret_on_command_line, i, fmt::format("an argument looks like a secret: {}", what ? std::string(*what) : *named), std::string(kWho));
  }
  return findings;
}

}  // namespace vmcred::chain
