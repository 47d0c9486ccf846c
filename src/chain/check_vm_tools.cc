// Findings of the command lines of systemd-vmspawn, systemd-nspawn, mkosi and virt-install, which start VMs or containers
// with credentials of their own.
#include <algorithm>

#include "chain/command_words.h"
#include "chain/configuration_text.h"
#include "declare/kernel_line.h"

namespace vmcred::chain {
namespace {

/// NAME:VALUE or NAME=VALUE as the OEM string that it becomes.
OpenString as_string(std::string_view text, char between, declare::Place place) {
  const std::size_t at = std::min(text.find(between), text.size());
  return {fmt::format("io.systemd.credential:{}={}", text.substr(0, at), text.substr(std::min(at + 1, text.size()))), std::move(place)};
}

void take(Words& words, std::string_view option, char between, std::vector<OpenString>& strings) {
  for (const Given& given : values_of(words, option)) {
    words.told[given.index] = true;
    strings.push_back(as_string(given.value, between, words.place(given.index)));
  }
}

void kernel_lines(Words& words, std::initializer_list<std::string_view> options) {
  for (const std::string_view option : options) {
    for (const Given& given : values_of(words, option)) {
      words.told[given.index] = true;
      judge_kernel_line(given.value, words.place(given.index), Code::secret_on_command_line, words.findings);
    }
  }
}

/// virt-install: --sysinfo oemStrings.entry0=…, and what it passes on to QEMU.
void check_virt_install(Words& words, std::vector<OpenString>& strings) {
  for (const Given& given : values_of(words, "--sysinfo")) {
    words.told[given.index] = true;
    std::string name;
    for (const auto& [key, text] : properties(given.value)) {
      if (key.starts_with("oemStrings.entry")) strings.push_back({text, words.place(given.index)});
      if (key.ends_with(".name")) name = text;
      if (!key.starts_with("entry") || key.contains('.')) continue;
      if (const auto item = item_as_string(name, text)) strings.push_back({*item, words.place(given.index)});
    }
  }
  for (const Given& given : values_of(words, "--boot"))
    for (const auto& [key, text] : properties(given.value))
      if (key == "kernel_args" || key == "cmdline" || key == "extra_args") judge_kernel_line(text, words.place(given.index), Code::secret_on_command_line, words.findings);
  kernel_lines(words, {"--extra-args", "-x"});
  for (const Given& given : values_of(words, "--qemu-commandline")) {
    words.told[given.index] = true;
    std::vector<std::string> passed{"qemu"};
    std::ranges::move(shell_words(given.value), std::back_inserter(passed));
    const std::vector<declare::Place> places(passed.size(), words.place(given.index));
    Words inner{passed, words.name, words.systemd, words.findings, places, words.reads_files, std::vector<bool>(passed.size(), false)};
    check_qemu(inner);
    judge_other_words(inner);
  }
}

}  // namespace

void check_vm_tool(Words& words, std::string_view program) {
  std::vector<OpenString> strings;
  if (program.contains("virt-install")) {
    check_virt_install(words, strings);
  } else if (program.contains("mkosi")) {
    take(words, "--credential", '=', strings);
    kernel_lines(words, {"--kernel-command-line", "--kernel-command-line-extra"});
  } else {
    take(words, "--set-credential", ':', strings);
    for (const Given& given : values_of(words, "--smbios11")) {
      words.told[given.index] = true;
      strings.push_back({std::string(given.value), words.place(given.index)});
    }
    if (program.contains("vmspawn"))  // what follows the options is the kernel's
      for (std::size_t i = 1; i < words.all.size(); ++i)
        if (declare::sets_credential(words.all[i])) check_kernel_words(words, i);
  }
  judge_strings(strings, Code::secret_on_command_line, kWhoReadsCommandLines, words.findings);
  judge_arrival(strings, {}, words.findings);
}

}  // namespace vmcred::chain
