// Findings of configuration files: Firecracker's, Proxmox', incus', QEMU's, mkosi's, nspawn's. Which it is, its text
// says.
#include <algorithm>
#include <map>
#include <set>

#include "base/base64.h"
#include "base/text.h"
#include "chain/check.h"
#include "chain/command_words.h"
#include "chain/configuration_text.h"
#include "unitfile/syntax.h"

namespace vmcred::chain {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::string percent_decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      plain += static_cast<char>(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

class Configuration {
 public:
  Configuration(const std::string& file, int systemd, std::vector<Finding>& findings)
      : file_(file), systemd_(systemd), findings_(findings) {}

  /// NAME.conf of Proxmox: "key: value" lines, and snapshots in sections.
  void proxmox(std::string_view text) {
    std::vector<std::string> words{"qemu"};
    std::vector<declare::Place> places{{.file = file_}};
    const auto finish = [&] {
      for (Finding& found : check_command_line(words, file_, systemd_, places)) findings_.push_back(std::move(found));
      words = {"qemu"};
      places = {{.file = file_}};
    };
    for (int number = 1; !text.empty(); ++number) {
      const std::string_view line = trimmed(take_until(text, '\n'));
      const declare::Place at = place(number);
      const std::size_t colon = line.find(':');
      if (line.starts_with('[')) finish();
      if (line.starts_with('#')) judge(percent_decoded(line.substr(1)), "description", at);
      if (line.starts_with('#') || line.starts_with('[') || colon == std::string_view::npos) continue;
      const std::string_view key = line.substr(0, colon);
      const std::string_view value = trimmed(line.substr(colon + 1));
      const auto add = [&](std::string word) {
        words.push_back(std::move(word));
        places.push_back(at);
      };
      if (key == "args") {
        for (std::string& word : shell_words(value)) add(std::move(word));
      } else if (key == "arch" && value == "aarch64") {
        words[0] = "qemu-system-aarch64";
      } else if (key == "bios" && value == "ovmf") {
        add("-bios");
        add("ovmf");
      } else if (key == "machine") {  // args come last, and count more
        words.insert(words.begin() + 1, {"-M", std::string(value)});
        places.insert(places.begin() + 1, {at, at});
      } else if (key == "smbios1") {
        judge_smbios(value, at);
      } else {
        judge(percent_decoded(value), key, at);
      }
    }
    finish();
  }

  /// `incus config show`, also as JSON, a list or a preseed: what stands in one map goes to one instance.
  void incus(const std::vector<Value>& values) {
    std::map<std::string, Offered> instances;
    std::set<std::string> said;
    for (const Value& value : values) said.insert(path_of(value, value.keys.size()) + value.text);
    for (const Value& value : values) {
      if (value.keys.empty() || said_by_config(said, value)) continue;
      const std::string& key = value.keys.back();
      const declare::Place at = place(value.line);
      Offered& offered = instances[path_of(value, value.keys.size() - 1)];
      constexpr std::string_view kText = "systemd.credential.";
      constexpr std::string_view kBinary = "systemd.credential-binary.";
      if (key.starts_with(kText)) {
        offered.strings.push_back(
            {fmt::format("io.systemd.credential:{}={}", key.substr(kText.size()), value.text), at});
      } else if (key.starts_with(kBinary)) {
        offered.strings.push_back(
            {fmt::format("io.systemd.credential.binary:{}={}", key.substr(kBinary.size()), value.text), at});
      } else if (key == "raw.qemu") {
        std::vector<std::string> words{"qemu"};
        std::ranges::move(shell_words(value.text), std::back_inserter(words));
        for (Finding& found : check_command_line(words, file_, systemd_, std::vector<declare::Place>(words.size(), at)))
          findings_.push_back(std::move(found));
      } else if (key == "raw.qemu.conf") {
        const std::size_t before = findings_.size();
        Offered more;
        judge_qemu_configuration(value.text, file_, more, findings_);
        for (std::size_t i = before; i < findings_.size(); ++i)
          findings_[i].place.line += value.line;  // the text begins in the next line
        for (auto* list : {&more.strings, &more.items})
          for (OpenString& each : *list) each.place.line += value.line;
        std::ranges::move(more.strings, std::back_inserter(offered.strings));
        std::ranges::move(more.items, std::back_inserter(offered.items));
      } else {
        judge(value.text, key, at);
      }
    }
    for (const auto& [path, offered] : instances) judge(offered);
  }

  /// What cloud-hypervisor's API takes: {"payload": {"cmdline": …}, "platform": {"oem_strings": […]}}.
  void cloud_hypervisor(const std::vector<Value>& values) {
    for (const Value& value : values) {
      const declare::Place at = place(value.line);
      if (std::ranges::find(value.keys, "oem_strings") != value.keys.end()) {
        offered_.strings.push_back({value.text, at});
      } else if (!value.keys.empty() && value.keys.back() == "cmdline") {
        judge_kernel_line(value.text, at, Code::secret_in_configuration, findings_);
      } else if (!value.keys.empty()) {
        judge(value.text, value.keys.back(), at);
      }
    }
  }

  void qemu(std::string_view text) {
    judge_qemu_configuration(text, file_, offered_, findings_);
    const auto why = without_smbios({}, offered_.machine, offered_.firmware);
    if (why && !offered_.strings.empty())
      findings_.push_back(finding(Code::smbios_ignored, offered_.strings.front().place, why->first, why->second));
  }

  /// mkosi.conf: lists go on in indented lines.
  void mkosi(std::string_view text) {
    std::string key;
    for (int number = 1; !text.empty(); ++number) {
      const std::string_view raw = take_until(text, '\n');
      std::string_view line = trimmed(raw);
      if (line.empty() || line.starts_with('#') || line.starts_with('[')) continue;
      if (raw.front() != ' ' && raw.front() != '\t') {
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos) continue;
        key = trimmed(line.substr(0, equals));
        line = trimmed(line.substr(equals + 1));
      }
      take_setting(key, line, place(number), '=');
    }
    if (passed_.size() > 1)
      for (Finding& found : check_command_line(passed_, file_, systemd_, places_))
        findings_.push_back(std::move(found));
  }

  /// NAME.nspawn and other files in the syntax of units.
  void nspawn(std::string_view text) {
    for (const unitfile::Setting& setting : unitfile::read_unit(text))
      take_setting(setting.key, setting.value, place(setting.line), ':');
  }

  void finish() { judge(offered_); }

 private:
  /// mkosi's settings that are called like secrets, and hold the path of a file or the id of a public key.
  static bool names_a_key(std::string_view setting) {
    constexpr std::string_view kAll[] = {"Passphrase",         "Key",    "SecureBootKey", "VerityKey",
                                         "SignExpectedPcrKey", "SshKey", "ProxyClientKey"};
    return std::ranges::find(kAll, setting) != std::end(kAll);
  }

  [[nodiscard]] declare::Place place(int line) const { return {.file = file_, .line = line, .column = 1}; }

  void judge(const Offered& offered) {
    judge_strings(offered.strings, Code::secret_in_configuration, kWhoReadsFiles, findings_);
    judge_strings(offered.items, Code::secret_in_configuration, kWhoReadsFiles, findings_);
    judge_arrival(offered.strings, offered.items, findings_);
    if (!offered.strings.empty()) judge_amount(offered.strings, systemd_, findings_);
  }

  static std::string path_of(const Value& value, std::size_t keys) {
    std::string path;
    for (std::size_t i = 0; i < keys; ++i) path += value.keys[i] + "\n";
    return path;
  }

  /// expanded_config repeats what config beside it says.
  static bool said_by_config(const std::set<std::string>& said, const Value& value) {
    const auto expanded = std::ranges::find(value.keys, "expanded_config");
    if (expanded == value.keys.end()) return false;
    Value own = value;
    own.keys[static_cast<std::size_t>(expanded - value.keys.begin())] = "config";
    return said.contains(path_of(own, own.keys.size()) + own.text);
  }

  /// "uuid=…,serial=aHVu…,base64=1"
  void judge_smbios(std::string_view text, const declare::Place& at) {
    const auto list = properties(text);
    const bool encoded = std::ranges::find(list, std::pair<std::string, std::string>("base64", "1")) != list.end();
    for (const auto& [key, value] : list) {
      const auto plain = base64_decode(value);
      judge(encoded && plain ? *plain : value, key, at);
    }
  }

  void judge(std::string_view text, std::string_view name, const declare::Place& at) {
    if (const auto what = shape::looks_like_secret(text, name))
      findings_.push_back(finding(Code::secret_in_configuration, at,
                                  fmt::format("{} holds what looks like a secret: {}", name, *what),
                                  std::string(kDeliver)));
  }

  void take_setting(std::string_view key, std::string_view value, const declare::Place& at, char between) {
    if (key == "KernelCommandLine" || key == "KernelCommandLineExtra")
      return judge_kernel_line(value, at, Code::secret_in_configuration, findings_);
    if (key == "QemuArgs") {
      for (std::string& word : shell_words(value)) {
        passed_.push_back(std::move(word));
        places_.push_back(at);
      }
      return;
    }
    if (names_a_key(key)) return;
    if (key != "Credentials" && key != "SetCredential") return judge(value, key, at);
    for (const std::string& word : shell_words(value)) {
      const std::size_t end = std::min(word.find(between), word.size());
      offered_.strings.push_back(
          {fmt::format("io.systemd.credential:{}={}", word.substr(0, end), word.substr(std::min(end + 1, word.size()))),
           at});
    }
  }

  const std::string& file_;
  int systemd_;
  std::vector<Finding>& findings_;
  Offered offered_ = {};
  std::vector<std::string> passed_{"qemu"};  // by mkosi to QEMU
  std::vector<declare::Place> places_ = std::vector<declare::Place>(1);
};

bool has_line(std::string_view text, std::initializer_list<std::string_view> starts) {
  while (!text.empty()) {
    const std::string_view line = take_until(text, '\n');
    if (std::ranges::any_of(starts, [&](std::string_view start) { return line.starts_with(start); })) return true;
  }
  return false;
}

bool is_mkosi(std::string_view text, const std::string& file) {
  return file.ends_with("mkosi.conf") || file.ends_with("mkosi.local.conf") || file.contains("mkosi.conf.d/") ||
         file.contains("mkosi.profiles/") ||
         has_line(text, {"[Distribution]", "[Runtime]", "[Host]", "[Content]", "[Validation]"});
}

/// "/etc/pve/qemu-server/100.conf", and what only a vm's configuration there has.
bool is_proxmox(std::string_view text, const std::string& file) {
  if (has_line(text, {"config:"})) return false;
  if (has_line(text, {"args:", "machine:", "ostype:", "scsihw:", "bootdisk:", "vmgenid:", "sockets:", "cores:",
                      "smbios1:", "scsi0:", "virtio0:", "sata0:", "ide2:", "net0:", "efidisk0:", "cipassword:"}))
    return true;
  const std::string name = file.substr(file.rfind('/') + 1);
  const std::size_t digits = name.find_first_not_of("0123456789");
  return digits != 0 && name.substr(std::min(digits, name.size())) == ".conf" && text.contains(": ");
}

}  // namespace

Result<std::vector<Finding>> check_configuration(std::string_view text, const std::string& file, int systemd) {
  if (constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF"; text.starts_with(kByteOrderMark))
    text.remove_prefix(kByteOrderMark.size());
  const std::string_view begin = trimmed(text);
  if (begin.starts_with('<')) return check_domain(text, file, systemd);
  std::vector<Finding> findings;
  Configuration configuration(file, systemd, findings);
  if (file.ends_with(".nspawn") || (has_line(text, {"[Exec]", "[Network]"}) && !file.ends_with("mkosi.conf"))) {
    configuration.nspawn(text);
  } else if (is_mkosi(text, file)) {
    configuration.mkosi(text);
  } else if (has_line(text, {"[machine", "[smbios", "[fw_cfg", "[object", "[device", "[boot-opts", "[drive", "[memory",
                             "[chardev", "[smp-opts", "[global"})) {
    configuration.qemu(text);
  } else if (is_proxmox(text, file)) {
    configuration.proxmox(text);
  } else {
    TRY_LET(const auto values, in(fmt::format("read '{}'", file), read_values(text)));
    const auto has_key = [&](std::string_view key) {
      return std::ranges::any_of(
          values, [&](const Value& each) { return std::ranges::find(each.keys, key) != each.keys.end(); });
    };
    if (has_key("boot-source") || has_key("machine-config") || has_key("kernel_image_path")) {
      judge_firecracker_configuration(text, file, findings);
    } else if (has_key("payload") || has_key("oem_strings")) {
      configuration.cloud_hypervisor(values);
    } else if (has_key("config") || has_key("expanded_config")) {
      configuration.incus(values);
    } else {
      return hint(fail(Errc::invalid_data, "'{}' is no configuration that vmcred knows", file),
                  "it reads those of Firecracker, cloud-hypervisor, Proxmox, incus, QEMU (-readconfig), mkosi, nspawn "
                  "and libvirt");
    }
  }
  configuration.finish();
  return findings;
}

}  // namespace vmcred::chain
