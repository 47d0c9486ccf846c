#include "diagnosis.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "credentials.h"
#include "link/address.h"
#include "port.h"
#include "set_store.h"
#include "sources.h"

namespace vmcred::guest {
namespace {

constexpr std::size_t kPage = 4096;
/// The first systemd that reads type-11 structures beyond one page.
constexpr int kReadsWholeStructures = 257;
/// noswap tmpfs of credentials: 1 MiB, a page each.
constexpr std::size_t kMaxOnTmpfs = 256;
constexpr std::size_t kMaxKernelLine = 64 * 1024;
/// What is longer before its first ':' or '=' is no mistyped prefix.
constexpr std::size_t kMaxPrefix = 40;

using chain::Code;

std::string shown(std::string_view name) { return fmt::format("credential '{}'", name); }

/// One look at one machine.
class Look {
 public:
  explicit Look(const Machine& machine) : machine_(machine) {}
  Result<std::vector<chain::Finding>> all();

 private:
  [[nodiscard]] std::string at(std::string_view path) const {
    return join_path(machine_.root, std::string(path.substr(path.starts_with('/') ? 1 : 0)));
  }
  void add(Code code, std::string place, std::string text, std::string remedy = {}) {
    findings_.push_back(chain::finding(code, {.file = std::move(place)}, std::move(text), std::move(remedy)));
  }
  Result<> read_system();
  void kernel();
  void prefixes();
  void offers();
  /// `nothing_else_came`: systemd took nothing from where this one is offered.
  void lost(const Offered& offered, bool nothing_else_came);
  void stores();
  void files();
  void port();

  const Machine& machine_;
  std::vector<chain::Finding> findings_;
  std::vector<Credential> credentials_;
  std::map<std::string, Secret> values_;
};

Result<> Look::read_system() {
  const std::string path = at(kSystemFolder);
  Folder folder = {.path = path, .fd = Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW))};
  if (!folder.fd && errno == ENOENT) {
    add(Code::guest_nothing, "systemd", "it was given no credentials at boot", "see 'vmcred vm status' on the host");
    return {};
  }
  if (!folder.fd) return fail_errno("open '{}'", path);
  TRY_LET(credentials_, credentials_in(folder));
  for (const Credential& credential : credentials_) {
    TRY_LET(auto value, read_credential(folder, credential.name));
    values_.emplace(credential.name, std::move(value));
  }
  return {};
}

void Look::kernel() {
  if (!is_folder(at("sys/firmware/dmi/entries"))) {
    add(Code::guest_kernel, "/sys/firmware/dmi/entries",
        "the kernel shows no SMBIOS entries, so credentials by SMBIOS are not seen",
        "build CONFIG_DMI_SYSFS into the kernel; as a module it must be in the initrd");
  }
  if (!is_folder(at("sys/firmware/qemu_fw_cfg")) && is_folder(at("sys/bus/acpi/devices/QEMU0002:00"))) {
    add(Code::guest_kernel, "/sys/firmware/qemu_fw_cfg", "this machine has QEMU's fw_cfg, but its driver is not loaded",
        "put the module qemu_fw_cfg into the initrd");
  }
  constexpr std::string_view kImport = "systemd.import_credentials=";
  const auto line = read_file(at("proc/cmdline"), kMaxKernelLine);
  if (line && line->contains(kImport)) {
    const std::string_view value = std::string_view(*line).substr(line->find(kImport) + kImport.size());
    const auto off = {"no", "0", "false", "off", "n\n", "n ", "f\n", "f "};
    if (std::ranges::any_of(off, [&](std::string_view word) { return value.starts_with(word); })) {
      add(Code::guest_kernel, "/proc/cmdline", "systemd.import_credentials is off on the kernel command line",
          "take it off");
    }
  }
  const auto s390 = read_file(at("sys/firmware/uv/prot_virt_guest"), 4096);
  if (exists(at("dev/sev-guest")) || exists(at("dev/tdx_guest")) || (s390 && s390->starts_with('1'))) {
    add(Code::guest_confidential, "this machine",
        "this is a confidential vm: systemd from 254 on ignores SMBIOS and fw_cfg here",
        "the host cannot be trusted with values there");
  }
}

/// Strings that look like credentials but have another prefix; systemd's debug log would print them whole.
void Look::prefixes() {
  for (int i = 0;; ++i) {
    const auto raw = read_secret(at(fmt::format("sys/firmware/dmi/entries/11-{}/raw", i)), 2 * kMaxCredential);
    if (!raw || raw->size() < 5) return;
    std::string_view rest = raw->text().substr(5);
    while (!rest.empty() && rest.front() != '\0') {
      const std::string_view text = rest.substr(0, rest.find('\0'));
      rest.remove_prefix(std::min(rest.size(), text.size() + 1));
      const std::string_view prefix = text.substr(0, text.find_first_of(":="));
      std::string lower(prefix);
      std::ranges::transform(lower, lower.begin(),
                             [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
      const bool right = prefix == "io.systemd.credential" || prefix == "io.systemd.credential.binary";
      if (!right && lower.contains("cred") && prefix.size() < kMaxPrefix) {
        add(Code::guest_prefix, fmt::format("SMBIOS structure 11-{}", i),
            fmt::format("an OEM string begins with '{}': systemd ignores it", prefix),
            "the prefixes are io.systemd.credential: and io.systemd.credential.binary:");
      }
    }
  }
}

void Look::lost(const Offered& offered, bool nothing_else_came) {
  std::string remedy = "'journalctl -b -t systemd' may say why";
  const bool smbios = offered.source == link::Source::smbios;
  if (nothing_else_came && (smbios || offered.source == link::Source::fw_cfg)) {
    const std::string_view module = smbios ? "dmi_sysfs" : "qemu_fw_cfg";
    remedy = fmt::format(
        "it took nothing from there; if {0} is a module that came after its import: build {0} in, or load it in the "
        "initrd",
        module);
  } else if (machine_.systemd != 0 && machine_.systemd < kReadsWholeStructures && smbios) {
    remedy = fmt::format("systemd {} reads {} bytes of an SMBIOS structure: use several smaller ones", machine_.systemd,
                         kPage);
  }
  add(Code::guest_not_taken, shown(offered.name), "it is offered, but systemd did not take it", remedy);
}

void Look::offers() {
  const auto mounts = read_file(at("proc/self/mountinfo"), 4 * kMaxCredential);
  if (mounts && mounted_generation(*mounts, kSystemFolder) != 0)
    return;  // an agent's set is in place, not the machine's offer
  const Offers offers = read_offers(machine_.root);
  for (const std::string& notice : offers.notices) add(Code::guest_not_taken, "this machine", notice);
  std::set<link::Source> sources;  // from which something came
  for (const Offered& offered : offers.offered) {
    if (values_.contains(offered.name)) sources.insert(offered.source);
  }
  std::map<std::string, int> seen;
  for (const Offered& offered : offers.offered) {
    if (seen[offered.name]++ > 0) {
      add(Code::guest_offered_twice, shown(offered.name), "it is offered twice, the first one counts",
          "give it another name on the host");
      continue;
    }
    const auto held = values_.find(offered.name);
    if (held == values_.end()) {
      lost(offered, !sources.contains(offered.source));
      continue;
    }
    const Bytes here = held->second.bytes();
    if (equal_in_constant_time(here, offered.value.bytes())) continue;
    const bool beginning =
        here.size() < offered.value.size() && equal_in_constant_time(here, offered.value.bytes().first(here.size()));
    add(Code::guest_not_taken, shown(offered.name),
        beginning ? "it was cut off by systemd" : "it has another value than the machine offers");
  }
}

void Look::stores() {
  for (const char* store : {"/etc/credstore", "/run/credstore", "/usr/local/lib/credstore", "/usr/lib/credstore"}) {
    const auto names = list_folder(at(store));
    if (!names) continue;
    for (const std::string& name : *names) {
      if (!values_.contains(name)) continue;
      add(Code::guest_shadowed, fmt::format("{}/{}", store, name),
          "it is never read: the machine passes a credential of that name", "remove one of them");
    }
  }
}

void Look::files() {
  if (machine_.system_on_tmpfs && credentials_.size() >= kMaxOnTmpfs) {
    add(Code::guest_too_many, kSystemFolder,
        fmt::format("{} credentials: a tmpfs of credentials holds {}", credentials_.size(), kMaxOnTmpfs),
        "pass fewer, or by reference");
  }
  const auto weak = std::ranges::find(credentials_, std::string("weak"), &Credential::secure);
  if (weak != credentials_.end()) add(Code::guest_swappable, shown(weak->name), "it may be swapped out");
  const auto units = list_folder(at("run/credentials"));
  if (!units) return;
  for (const std::string& unit : *units) {
    if (!unit.ends_with(".service")) continue;
    const auto names = list_folder(at("run/credentials/" + unit));
    if (!names) continue;
    const auto shared = std::ranges::find_if(*names, [&](const std::string& name) {
      struct stat status = {};
      return ::stat(at("run/credentials/" + unit + "/" + name).c_str(), &status) == 0 && (status.st_mode & 0077U) != 0;
    });
    if (shared == names->end()) continue;
    add(Code::guest_access_list, unit,
        fmt::format("'{}' has mode 0440 and an access list: programs that demand 0400 or 0600 refuse it", *shared),
        "where one does, copy it first: ExecStartPre=install -m 0400 %d/NAME %t/NAME");
  }
}

void Look::port() {
  if (!values_.contains(std::string(link::kLinkName))) return;
  const auto address = link::parse_link_line(values_.at(std::string(link::kLinkName)).bytes());
  if (!address) return add(Code::guest_link, shown(link::kLinkName), address.error().message);
  if (address->transport == link::Transport::serial && !find_serial_port(at("sys"))) {
    add(Code::guest_link, shown(link::kLinkName), "the host waits on a virtio-serial port that is not here",
        "the kernel needs virtio_console, and virtio_pci or virtio_mmio");
  }
}

Result<std::vector<chain::Finding>> Look::all() {
  TRY(read_system());
  kernel();
  prefixes();
  offers();
  stores();
  files();
  port();
  return std::move(findings_);
}

}  // namespace

Result<std::vector<chain::Finding>> diagnose(const Machine& machine) { return Look(machine).all(); }

}  // namespace vmcred::guest
