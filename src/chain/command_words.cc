#include "chain/command_words.h"

#include <fmt/core.h>

#include "credential/limits.h"

namespace vmcred::chain {

declare::Place Words::place(std::size_t index) const { return {.file = fmt::format("{}, argument {}", name, index)}; }

void Words::add(Code code, std::size_t index, std::string message, std::string hint) {
  told[index] = true;
  findings.push_back(finding(code, place(index), std::move(message), std::move(hint)));
}

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

void check_fw_cfg(Words& words, std::size_t index, std::vector<OpenString>& strings) {
  constexpr std::string_view kFolder = "opt/io.systemd.credentials/";
  std::string name;
  std::string text;
  for (const auto& [key, given] : properties(words.all[index])) {
    if (key == "name") name = given;
    if (key.starts_with("opt/")) name = key;
    if (key == "string") text = given;
  }
  if (!name.starts_with(kFolder)) return;
  const std::string credential = name.substr(kFolder.size());
  if (credential.size() > credential::kMaxFwCfgName) {
    words.add(Code::fw_cfg_name_too_long, index,
              fmt::format("the name '{}' is {} bytes, fw_cfg takes {}", credential, credential.size(),
                          credential::kMaxFwCfgName),
              "use a shorter name, or SMBIOS");
  }
  if (text.empty()) return;
  strings.push_back({fmt::format("io.systemd.credential:{}={}", credential, text), words.place(index)});
  words.told[index] = true;
}

}  // namespace vmcred::chain
