// `doctor`: looks at everything between the machine's offers and the folder that services load from, and says what is
// lost and why, in the shape of `vmcred doctor` on the host. Values are compared in memory and never printed.
#include <sys/statfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "arguments.h"
#include "base/file.h"
#include "chain/report.h"
#include "commands.h"
#include "credentials.h"
#include "link/address.h"
#include "port.h"
#include "set_store.h"
#include "sources.h"
#include "systemd_bus.h"

namespace vmcred::guest {
namespace {

constexpr std::size_t kPage = 4096;
/// The first systemd that reads type-11 structures beyond one page.
constexpr int kReadsWholeStructures = 257;
/// noswap tmpfs of credentials: 1 MiB, a page each.
constexpr std::size_t kMaxOnTmpfs = 256;

using chain::Code;

class Findings {
 public:
  void add(Code code, std::string place, std::string text, std::string remedy) {
    all_.push_back(chain::finding(code, {.file = std::move(place)}, std::move(text), std::move(remedy)));
  }
  std::vector<chain::Finding>& all() { return all_; }

 private:
  std::vector<chain::Finding> all_;
};

std::string shown(std::string_view name) { return fmt::format("credential '{}'", name); }

int systemd_major() {
  auto bus = SystemdBus::connect();
  if (!bus) return 0;
  const auto version = bus->version();
  return version ? std::atoi(version->c_str()) : 0;  // 0 where it begins with no number
}

void check_kernel(Findings& findings) {
  if (!is_folder("/sys/firmware/dmi/entries")) {
    findings.add(Code::guest_kernel, "/sys/firmware/dmi/entries", "the kernel shows no SMBIOS entries, so credentials by SMBIOS are not seen",
                 "build CONFIG_DMI_SYSFS into the kernel; as a module it must be in the initrd");
  }
  if (!is_folder("/sys/firmware/qemu_fw_cfg") && is_folder("/sys/bus/acpi/devices/QEMU0002:00")) {
    findings.add(Code::guest_kernel, "/sys/firmware/qemu_fw_cfg", "this machine has QEMU's fw_cfg, but its driver is not loaded", "put the module qemu_fw_cfg into the initrd");
  }
  const auto line = read_file("/proc/cmdline", 64 * 1024);
  if (line && line->contains("systemd.import_credentials=")) {
    const auto at = line->find("systemd.import_credentials=") + std::string_view("systemd.import_credentials=").size();
    const std::string_view value = std::string_view(*line).substr(at);
    if (value.starts_with("no") || value.starts_with("0") || value.starts_with("false") || value.starts_with("off")) {
      findings.add(Code::guest_kernel, "/proc/cmdline", "systemd.import_credentials is off on the kernel command line", "take it off");
    }
  }
  if (exists("/dev/sev-guest") || exists("/dev/tdx_guest")) {
    findings.add(Code::guest_confidential, "this machine", "this is a confidential vm: systemd from 254 on ignores SMBIOS and fw_cfg here", "the host cannot be trusted with values there");
  }
}

/// Strings that look like credentials but have another prefix; systemd's debug log would print them whole.
void check_prefixes(Findings& findings) {
  for (int i = 0;; ++i) {
    const auto raw = read_secret(fmt::format("/sys/firmware/dmi/entries/11-{}/raw", i), 2 * kMaxCredential);
    if (!raw || raw->size() < 5) return;
    std::string_view rest = raw->text().substr(5);
    while (!rest.empty() && rest.front() != '\0') {
      const std::string_view text = rest.substr(0, rest.find('\0'));
      rest.remove_prefix(std::min(rest.size(), text.size() + 1));
      const std::string_view prefix = text.substr(0, text.find_first_of(":="));
      std::string lower(prefix);
      std::ranges::transform(lower, lower.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      const bool right = prefix == "io.systemd.credential" || prefix == "io.systemd.credential.binary";
      if (!right && lower.contains("cred") && prefix.size() < 40) {
        findings.add(Code::guest_prefix, fmt::format("SMBIOS structure 11-{}", i), fmt::format("an OEM string begins with '{}': systemd ignores it", prefix),
                     "the prefixes are io.systemd.credential: and io.systemd.credential.binary:");
      }
    }
  }
}

void check_offers(Findings& findings, const std::map<std::string, Secret>& system) {
  const auto mounts = read_file("/proc/self/mountinfo", 4 * kMaxCredential);
  if (mounts && mounted_generation(*mounts, kSystemFolder) != 0) return;  // an agent's set is in place, not the machine's offer
  const Offers offers = read_offers();
  for (const std::string& notice : offers.notices) findings.add(Code::guest_not_taken, "this machine", notice, "");
  const int systemd = systemd_major();
  std::map<std::string, int> seen;
  for (const Offered& offered : offers.offered) {
    if (seen[offered.name]++ > 0) {
      findings.add(Code::guest_offered_twice, shown(offered.name), "it is offered twice, the first one counts", "give it another name on the host");
      continue;
    }
    const auto held = system.find(offered.name);
    if (held == system.end()) {
      findings.add(Code::guest_not_taken, shown(offered.name), "it is offered, but systemd did not take it",
                   systemd != 0 && systemd < kReadsWholeStructures
                       ? fmt::format("systemd {} reads {} bytes of an SMBIOS structure: use several smaller ones", systemd, kPage)
                       : "'journalctl -b -t systemd' may say why");
    } else if (!equal_in_constant_time(held->second.bytes(), offered.value.bytes())) {
      findings.add(Code::guest_not_taken, shown(offered.name),
                   held->second.size() < offered.value.size() ? "it was cut off by systemd" : "it has another value than the machine offers", "");
    }
  }
}

void check_folders(Findings& findings, const std::vector<Credential>& credentials) {
  for (const char* store : {"/etc/credstore", "/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore"}) {
    const auto names = list_folder(store);
    if (!names) continue;
    for (const std::string& name : *names) {
      const bool shadowed = std::ranges::any_of(credentials, [&](const Credential& one) { return one.name == name; });
      if (shadowed) {
        findings.add(Code::guest_shadowed, fmt::format("{}/{}", store, name), "it is never read: the machine passes a credential of that name", "remove one of them");
      }
    }
  }
  struct statfs file_system = {};
  if (::statfs(kSystemFolder, &file_system) == 0 && file_system.f_type == TMPFS_MAGIC && credentials.size() >= kMaxOnTmpfs) {
    findings.add(Code::guest_too_many, kSystemFolder, fmt::format("{} credentials: a tmpfs of credentials holds {}", credentials.size(), kMaxOnTmpfs), "pass fewer, or by reference");
  }
  for (const Credential& credential : credentials) {
    if (credential.secure == "weak") {
      findings.add(Code::guest_swappable, shown(credential.name), "it may be swapped out", "");
      return;
    }
  }
}

void check_link(Findings& findings, const std::vector<Credential>& credentials) {
  const bool linked = std::ranges::any_of(credentials, [](const Credential& one) { return one.name == link::kLinkName; });
  if (!linked) return;
  const auto address = read_address();
  if (!address) return findings.add(Code::guest_link, shown(link::kLinkName), address.error().message, "");
  if (address->transport == link::Transport::serial && !find_serial_port()) {
    findings.add(Code::guest_link, shown(link::kLinkName), "the host waits on a virtio-serial port that is not here", "the kernel needs virtio_console, and virtio_pci or virtio_mmio");
  }
}

}  // namespace

Result<int> doctor(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {"--json"};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  if (::geteuid() != 0) return hint(fail(Errc::denied, "the credentials of this guest are for root"), "run it as root");
  Findings findings;
  check_kernel(findings);
  check_prefixes(findings);
  TRY_LET(const auto folders, open_folders(true));
  std::vector<Credential> credentials;
  std::map<std::string, Secret> values;
  for (const Folder& folder : folders) {
    if (folder.encrypted) continue;
    TRY_LET(credentials, credentials_in(folder));
    for (const Credential& credential : credentials) {
      TRY_LET(auto value, read_credential(folder, credential.name));
      values.emplace(credential.name, std::move(value));
    }
  }
  if (credentials.empty()) findings.add(Code::guest_nothing, "systemd", "it was given no credentials at boot", "see 'vmcred vm status' on the host");
  check_offers(findings, values);
  check_folders(findings, credentials);
  check_link(findings, credentials);
  chain::sort_findings(findings.all());
  print(arguments.has("--json") ? dump_json(chain::findings_json(findings.all()), Indent::two_spaces) : chain::findings_text(findings.all(), false));
  return chain::any_findings(findings.all()) ? 3 : 0;
}

}  // namespace vmcred::guest
