// Findings of QEMU's command line, and of the configuration files that it names.
#include <algorithm>
#include <map>

#include "chain/command_words.h"
#include "chain/configuration_text.h"

namespace vmcred::chain {
namespace {

/// What the machine is, by all of its options.
struct Machine {
  std::string type = {};
  bool arm = false;       ///< or another one whose SMBIOS is built by firmware
  bool firmware = false;  ///< -bios, a pflash drive, or pflash0=
  [[nodiscard]] bool microvm() const { return type == "microvm"; }
};

std::string_view option_of(std::string_view word) { return word.starts_with("--") ? word.substr(1) : word; }

Machine machine_of(const std::vector<std::string>& all) {
  Machine machine;
  const std::string_view program = std::string_view(all[0]).substr(all[0].rfind('/') + 1);
  machine.arm = program.contains("aarch64") || program.contains("riscv64") || program.contains("loongarch64");
  for (std::size_t i = 1; i + 1 < all.size(); ++i) {
    const std::string_view option = option_of(all[i]);
    if (option == "-bios" || option == "-pflash") machine.firmware = true;
    if (option == "-drive" && all[i + 1].contains("if=pflash")) machine.firmware = true;
    if (option != "-M" && option != "-machine") continue;
    const auto list = properties(all[i + 1]);
    for (std::size_t k = 0; k < list.size(); ++k) {
      const auto& [key, value] = list[k];
      if (k == 0 && value.empty()) machine.type = key;
      if (key == "type") machine.type = value;
      if (key == "pflash0" || key == "pflash1") machine.firmware = true;
    }
  }
  machine.arm = machine.arm || machine.type == "virt" || machine.type.starts_with("virt-");
  return machine;
}

class Qemu {
 public:
  explicit Qemu(Words& words) : words_(words), machine_(machine_of(words.all)) {}

  void check() {
    for (std::size_t i = 1; i + 1 < words_.all.size(); ++i) {
      const std::string_view option = option_of(words_.all[i]);
      if (option == "-append") check_kernel_words(words_, i + 1);
      if (option == "-smbios") check_smbios(i + 1);
      if (option == "-fw_cfg") check_fw_cfg(words_, i + 1, items_);
      if (option == "-readconfig") read_configuration(i + 1);
    }
    judge_strings(strings_, Code::secret_on_command_line, kWhoReadsCommandLines, words_.findings);
    judge_strings(items_, Code::secret_on_command_line, kWhoReadsCommandLines, words_.findings);
    judge_strings(from_files_, Code::secret_in_configuration, "who reads the file reads it", words_.findings);
    std::vector<OpenString> all = strings_;
    all.insert(all.end(), from_files_.begin(), from_files_.end());
    judge_machine(all);
    judge_arrival(all, items_, words_.findings);
    if (!all.empty() && !machine_.microvm()) judge_amount(all, words_.systemd, words_.findings);
  }

 private:
  void check_smbios(std::size_t index) {
    const auto list = properties(words_.all[index]);
    if (std::ranges::none_of(list, [](const auto& each) { return each.first == "type" && each.second == "11"; })) return;
    types_11_ = types_11_ ? types_11_ : index;
    for (const auto& [key, text] : list) {
      if (key == "value") {
        strings_.push_back({text, words_.place(index)});
        words_.told[index] = true;
      }
      if (key == "path") {
        words_.add(Code::path_overrun, index, "QEMU before 10.0 reads past the end of what type=11,path= names",
                   "use -smbios file= with a whole structure, as vmcred does");
      }
    }
  }

  void judge_machine(const std::vector<OpenString>& all) {
    if (types_11_ == 0 && all.empty()) return;
    const declare::Place place = types_11_ != 0 ? words_.place(types_11_) : all.front().place;
    if (machine_.microvm()) {
      words_.findings.push_back(finding(Code::smbios_ignored, place, "QEMU's machine type microvm takes -smbios and drops it", "use -fw_cfg, or the machine type q35"));
    } else if (machine_.arm && !machine_.firmware) {
      words_.findings.push_back(finding(Code::smbios_ignored, place, "on this machine SMBIOS is built by UEFI firmware, and none is given", "add -bios with UEFI firmware, or use -fw_cfg"));
    }
  }

  /// "-readconfig FILE": sections [smbios], [fw_cfg "x"] and others, as options write them.
  void read_configuration(std::size_t index) {
    const std::string& path = words_.all[index];
    if (const auto text = words_.file(index, path)) judge_qemu_configuration(*text, path, from_files_, words_.findings);
  }

  Words& words_;
  Machine machine_;
  std::size_t types_11_ = 0;
  std::vector<OpenString> strings_ = {};
  std::vector<OpenString> items_ = {};
  std::vector<OpenString> from_files_ = {};
};

}  // namespace

void check_qemu(Words& words) { Qemu(words).check(); }

void judge_qemu_configuration(std::string_view text, const std::string& file, std::vector<OpenString>& strings, std::vector<Finding>& findings) {
  std::map<std::string, std::vector<Value>> sections;
  for (Value& value : read_qemu_configuration(text)) sections[value.keys.front()].push_back(std::move(value));
  for (const auto& [section, values] : sections) {
    const std::string kind = section.substr(0, section.find_first_of(" #"));
    const auto at = [&](std::string_view key) { return std::ranges::find_if(values, [&](const Value& each) { return each.keys.back() == key; }); };
    const auto text_at = [&](std::string_view key) { return at(key) == values.end() ? std::string() : at(key)->text; };
    for (const Value& value : values) {
      const declare::Place place = {.file = file, .line = value.line, .column = 1};
      const std::string& key = value.keys.back();
      if (kind == "smbios" && text_at("type") == "11" && key == "value") {
        strings.push_back({value.text, place});
      } else if (kind == "fw_cfg" && key == "string") {
        judge_item_name(text_at("name"), place, findings);
        if (const auto as_string = item_as_string(text_at("name"), value.text)) strings.push_back({*as_string, place});
      } else if (key == "append") {
        judge_kernel_line(value.text, place, Code::secret_in_configuration, findings);
      } else {
        const bool data = kind == "object" && text_at("qom-type") == "secret" && key == "data" && text_at("keyid").empty();
        if (const auto what = shape::looks_like_secret(value.text, data ? "secret" : key))
          findings.push_back(finding(Code::secret_in_configuration, place, fmt::format("{} holds what looks like a secret: {}", key, *what), std::string(kDeliver)));
      }
    }
  }
}

}  // namespace vmcred::chain
