// Findings of the command lines of systemd-vmspawn, systemd-nspawn, mkosi and virt-install, which start VMs or
// containers with credentials of their own.
#include <algorithm>

#include "chain/command_words.h"
#include "chain/configuration_text.h"
#include "declare/kernel_line.h"

namespace vmcred::chain {
namespace {

/// The OEM string that NAME:VALUE or NAME=VALUE becomes.
std::string as_string(std::string_view name, std::string_view value) {
  return fmt::format("io.systemd.credential:{}={}", name, value);
}

/// What an option gives: NAME, the separator, then the value, or where it is (`in_clear` false).
void take(Words& words, std::string_view option, char between, bool in_clear, std::vector<OpenString>& strings) {
  for (const Given& given : values_of(words, option)) {
    if (in_clear) words.told[given.index] = true;
    const std::size_t end = given.value.find(between);
    if (end == std::string_view::npos) {
      if (between != ':') continue;  // mkosi's may name a file
      words.findings.push_back(finding(Code::lost_credential, words.place(given.index),
                                       fmt::format("{} takes NAME{}…, and this is none", option, between),
                                       "mend it, or let vmcred deliver it"));
      continue;
    }
    strings.push_back({as_string(given.value.substr(0, end), in_clear ? given.value.substr(end + 1) : ""),
                       words.place(given.index), in_clear});
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

/// What comes behind a verb of mkosi's goes to QEMU, to vmspawn or to nspawn, as words of the kernel or of PID 1.
void check_mkosi(Words& words) {
  const auto passes_on = [](std::string_view word) { return word == "qemu" || word == "vm" || word == "boot"; };
  const auto verb = std::find_if(words.all.begin() + 1, words.all.end(), passes_on);
  if (verb == words.all.end()) return;
  const auto first = static_cast<std::size_t>(verb - words.all.begin());
  std::vector<std::string> passed{"qemu"};
  std::vector<declare::Place> places{words.place(first)};
  for (std::size_t i = first + 1; i < words.all.size(); ++i) {
    words.told[i] = true;
    if (declare::sets_credential(words.all[i])) {
      check_kernel_words(words, i);
    } else {
      passed.push_back(words.all[i]);
      places.push_back(words.place(i));
    }
  }
  check_passed_on(words, std::move(passed), places);
}

/// "--xml ./os/cmdline=…": what virt-install writes into the domain as it stands.
void check_xml(Words& words, std::vector<OpenString>& strings) {
  for (const Given& given : values_of(words, "--xml")) {
    const std::string_view value = given.value.substr(std::min(given.value.find('='), given.value.size()));
    const std::string_view text = value.substr(std::min<std::size_t>(value.find_first_not_of('='), value.size()));
    if (text.starts_with("io.systemd.cred")) {
      words.told[given.index] = true;
      strings.push_back({std::string(text), words.place(given.index)});
    } else if (text.contains("systemd.set_credential") || text.contains("systemd.set-credential")) {
      words.told[given.index] = true;
      judge_kernel_line(text, words.place(given.index), Code::secret_on_command_line, words.findings);
    }
  }
}

/// virt-install: --sysinfo oemStrings.entry0=…, and what it passes on to QEMU.
void check_virt_install(Words& words, std::vector<OpenString>& strings, std::vector<OpenString>& items) {
  for (const Given& given : values_of(words, "--sysinfo")) {
    words.told[given.index] = true;
    std::string name;
    for (const auto& [key, text] : properties(given.value)) {
      if (key.starts_with("oemStrings.entry")) strings.push_back({text, words.place(given.index)});
      const bool entry = key.starts_with("entry");
      if (entry && key.ends_with(".name")) {
        name = text;
        judge_item_name(name, words.place(given.index), words.findings);
      }
      const bool in_clear = entry && !key.contains('.');
      if (!in_clear && !(entry && key.ends_with(".file"))) continue;
      if (const auto item = item_as_string(name, in_clear ? text : ""))
        items.push_back({*item, words.place(given.index), in_clear});
    }
  }
  check_xml(words, strings);
  for (const Given& given : values_of(words, "--boot"))
    for (const auto& [key, text] : properties(given.value))
      if (key == "kernel_args" || key == "cmdline" || key == "extra_args")
        judge_kernel_line(text, words.place(given.index), Code::secret_on_command_line, words.findings);
  kernel_lines(words, {"--extra-args", "-x"});
  for (const Given& given : values_of(words, "--qemu-commandline")) {
    words.told[given.index] = true;
    std::vector<std::string> passed{"qemu"};
    std::ranges::move(shell_words(given.value), std::back_inserter(passed));
    const std::vector<declare::Place> places(passed.size(), words.place(given.index));
    check_passed_on(words, std::move(passed), places);
  }
}

void check_spawn(Words& words, bool vm, std::vector<OpenString>& strings) {
  take(words, "--load-credential", ':', false, strings);
  take(words, "--set-credential", ':', true, strings);
  for (const std::string_view option : {"--smbios11", "-s"}) {
    if (!vm) break;
    for (const Given& given : values_of(words, option)) {
      words.told[given.index] = true;
      strings.push_back({std::string(given.value), words.place(given.index)});
    }
  }
  // What follows the options is the kernel's; in a container it is PID 1's, which takes it for the same.
  const bool boots =
      vm || std::ranges::any_of(words.all, [](std::string_view word) {
        return word == "--boot" || (word.starts_with('-') && !word.starts_with("--") && word.contains('b'));
      });
  for (std::size_t i = 1; i < words.all.size() && boots; ++i)
    if (declare::sets_credential(words.all[i])) check_kernel_words(words, i);
}

}  // namespace

void check_vm_tool(Words& words, std::string_view program) {
  std::vector<OpenString> strings;
  std::vector<OpenString> items;
  if (program.contains("virt-install")) {
    check_virt_install(words, strings, items);
  } else if (program.contains("mkosi")) {
    take(words, "--credential", '=', true, strings);
    for (const std::string_view path : {"--passphrase", "--key", "--secure-boot-key", "--verity-key",
                                        "--sign-expected-pcr-key", "--ssh-key", "--proxy-client-key"})
      for (const Given& given : values_of(words, path)) words.told[given.index] = true;
    kernel_lines(words, {"--kernel-command-line", "--kernel-command-line-extra"});
    for (const Given& given : values_of(words, "--qemu-args")) {
      words.told[given.index] = true;
      std::vector<std::string> passed{"qemu"};
      std::ranges::move(shell_words(given.value), std::back_inserter(passed));
      const std::vector<declare::Place> places(passed.size(), words.place(given.index));
      check_passed_on(words, std::move(passed), places);
    }
    check_mkosi(words);
  } else {
    check_spawn(words, program.contains("vmspawn"), strings);
  }
  judge_strings(strings, Code::secret_on_command_line, kWhoReadsCommandLines, words.findings);
  judge_strings(items, Code::secret_on_command_line, kWhoReadsCommandLines, words.findings);
  judge_arrival(strings, items, words.findings);
}

}  // namespace vmcred::chain
