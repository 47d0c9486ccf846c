// Findings of QEMU's command line, and of the configuration files that it names.
#include <algorithm>
#include <map>

#include "chain/command_words.h"
#include "chain/configuration_text.h"

namespace vmcred::chain {
namespace {

/// What the machine is, by all of its options.
struct Machine {
  std::string architecture = {};
  std::string type = {};
  bool firmware = false;  ///< -bios, a pflash drive, or pflash0=
};

std::string_view option_of(std::string_view word) { return word.starts_with("--") ? word.substr(1) : word; }

/// "aarch64" of "/usr/bin/.qemu-system-aarch64-wrapped".
std::string architecture_of(std::string_view program) {
  constexpr std::string_view kBegin = "qemu-system-";
  const std::size_t at = program.rfind(kBegin);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = program.substr(at + kBegin.size());
  return std::string(rest.substr(0, rest.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_")));
}

/// RISC-V's -bios may be OpenSBI, which builds no tables.
bool is_uefi(std::string_view bios) { return bios != "none" && bios != "default" && !bios.contains("opensbi"); }

/// "11" as QEMU reads numbers: also "0xb" and "013".
bool is_oem_type(std::string_view number) {
  return number == "11" || number == "0xb" || number == "0xB" || number == "013";
}

Machine machine_of(const std::vector<std::string>& all) {
  Machine machine = {.architecture = architecture_of(all[0])};
  for (std::size_t i = 1; i + 1 < all.size(); ++i) {
    const std::string_view option = option_of(all[i]);
    if (option == "-pflash" || (option == "-bios" && is_uefi(all[i + 1]))) machine.firmware = true;
    if (option == "-drive" && all[i + 1].contains("if=pflash")) machine.firmware = true;
    if (option != "-M" && option != "-machine") continue;
    const auto list = properties(all[i + 1]);
    for (std::size_t k = 0; k < list.size(); ++k) {
      const auto& [key, value] = list[k];
      if (k == 0 && value.empty()) machine.type = key;
      if (key == "type") machine.type = value;
      if (key == "pflash0" || key == "pflash1" || (key == "firmware" && is_uefi(value))) machine.firmware = true;
    }
  }
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
      if (option == "-fw_cfg") check_fw_cfg(words_, i + 1, words_.all[i + 1], items_);
      if (option == "-readconfig") read_configuration(i + 1);
    }
    judge_strings(strings_, Code::secret_on_command_line, kWhoReadsCommandLines, words_.findings);
    judge_strings(items_, Code::secret_on_command_line, kWhoReadsCommandLines, words_.findings);
    judge_strings(from_files_.strings, Code::secret_in_configuration, kWhoReadsFiles, words_.findings);
    judge_strings(from_files_.items, Code::secret_in_configuration, kWhoReadsFiles, words_.findings);
    std::vector<OpenString> strings = joined(strings_, from_files_.strings);
    const bool has_smbios = judge_machine(strings);
    judge_arrival(strings, joined(items_, from_files_.items), words_.findings);
    if (!strings.empty() && has_smbios) judge_amount(strings, words_.systemd, words_.findings);
    const bool offered = !strings.empty() || !items_.empty() || !from_files_.items.empty();
    for (std::size_t i = 1; i + 1 < words_.all.size(); ++i)
      if (option_of(words_.all[i]) == "-append")
        judge_import(words_.all[i + 1], words_.place(i + 1), offered, words_.findings);
  }

 private:
  static std::vector<OpenString> joined(std::vector<OpenString> all, const std::vector<OpenString>& more) {
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void check_smbios(std::size_t index) {
    const auto list = properties(words_.all[index]);
    if (std::ranges::none_of(list, [](const auto& each) { return each.first == "type" && is_oem_type(each.second); }))
      return;
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

  /// False, and told: this machine gives no OEM strings to its guest.
  bool judge_machine(const std::vector<OpenString>& all) {
    const std::string& type = machine_.type.empty() ? from_files_.machine : machine_.type;
    const auto why = without_smbios(machine_.architecture, type, machine_.firmware || from_files_.firmware);
    if (!why) return true;
    if (types_11_ == 0 && all.empty()) return false;
    const declare::Place place = types_11_ != 0 ? words_.place(types_11_) : all.front().place;
    words_.findings.push_back(finding(Code::smbios_ignored, place, why->first, why->second));
    return false;
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
  Offered from_files_ = {};
};

}  // namespace

void check_qemu(Words& words) { Qemu(words).check(); }

std::optional<std::pair<std::string, std::string>> without_smbios(std::string_view architecture,
                                                                  std::string_view machine, bool firmware) {
  if (machine == "microvm")
    return std::pair("QEMU's machine type microvm takes -smbios and drops it", "use -fw_cfg, or the machine type q35");
  constexpr std::string_view kNone[] = {"s390x",    "ppc",   "ppc64",   "ppc64le", "mips",  "mipsel", "mips64",
                                        "mips64el", "sparc", "sparc64", "m68k",    "alpha", "hppa"};
  if (std::ranges::find(kNone, architecture) != std::end(kNone))
    return std::pair(fmt::format("machines of {} have no SMBIOS", architecture),
                     "use a machine of x86_64, or of aarch64 with UEFI firmware");
  constexpr std::string_view kByFirmware[] = {"aarch64", "arm", "armv7l", "armv6l", "riscv64", "loongarch64"};
  const bool by_firmware = std::ranges::find(kByFirmware, architecture) != std::end(kByFirmware) || machine == "virt" ||
                           machine.starts_with("virt-");
  if (by_firmware && !firmware)
    return std::pair("on this machine SMBIOS is built by UEFI firmware, and none is given",
                     "add UEFI firmware (-bios, or firmware='efi'), or use fw_cfg");
  return {};
}

namespace {

/// One section of a -readconfig file.
class Section {
 public:
  Section(const std::string& name, const std::vector<Value>& values, const std::string& file)
      : kind_(name.substr(0, name.find_first_of(" #"))), values_(values), file_(file) {}

  void judge(Offered& offered, std::vector<Finding>& findings) const {
    for (const Value& value : values_) {
      const declare::Place place = {.file = file_, .line = value.line, .column = 1};
      const std::string& key = value.keys.back();
      if (kind_ == "smbios" && is_oem_type(at("type")) && key == "value") {
        offered.strings.push_back({value.text, place});
      } else if (kind_ == "fw_cfg" && (key == "string" || key == "file")) {
        judge_item(value, place, offered, findings);
      } else if (key == "append") {
        judge_kernel_line(value.text, place, Code::secret_in_configuration, findings);
      } else {
        const bool data = kind_ == "object" && at("qom-type") == "secret" && key == "data" && at("keyid").empty();
        if (const auto what = shape::looks_like_secret(value.text, data ? "secret" : key))
          findings.push_back(finding(Code::secret_in_configuration, place,
                                     fmt::format("{} holds what looks like a secret: {}", key, *what),
                                     std::string(kDeliver)));
      }
    }
    if (kind_ == "machine" && !at("type").empty()) offered.machine = at("type");
    if ((kind_ == "machine" && !at("pflash0").empty()) || (kind_ == "drive" && at("if") == "pflash"))
      offered.firmware = true;
  }

 private:
  [[nodiscard]] std::string at(std::string_view key) const {
    const auto found = std::ranges::find_if(values_, [&](const Value& each) { return each.keys.back() == key; });
    return found == values_.end() ? std::string() : found->text;
  }

  void judge_item(const Value& value, const declare::Place& place, Offered& offered,
                  std::vector<Finding>& findings) const {
    const std::string name = at("name");
    const bool in_clear = value.keys.back() == "string";
    judge_item_name(name, place, findings);
    if (const auto as_string = item_as_string(name, in_clear ? value.text : "")) {
      offered.items.push_back({*as_string, place, in_clear});
    } else if (const auto what = in_clear ? shape::looks_like_secret(value.text, name) : std::nullopt) {
      findings.push_back(finding(Code::secret_in_configuration, place,
                                 fmt::format("the fw_cfg item '{}' holds what looks like a secret: {}", name, *what),
                                 std::string(kDeliver)));
    }
  }

  std::string kind_;
  const std::vector<Value>& values_;
  const std::string& file_;
};

}  // namespace

void judge_qemu_configuration(std::string_view text, const std::string& file, Offered& offered,
                              std::vector<Finding>& findings) {
  std::map<std::string, std::vector<Value>> sections;
  for (Value& value : read_qemu_configuration(text)) sections[value.keys.front()].push_back(std::move(value));
  for (const auto& [name, values] : sections) Section(name, values, file).judge(offered, findings);
}

}  // namespace vmcred::chain
