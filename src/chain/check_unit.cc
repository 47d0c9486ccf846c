// Findings of unit files that somebody wrote, on the host or in the guest.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "chain/check.h"
#include "chain/exposed.h"
#include "chain/unit_text.h"
#include "declare/names.h"

namespace vmcred::chain {
namespace {

constexpr int kFirstWithImport = 254;
constexpr int kFirstWithRefresh = 260;

struct Line {
  Setting setting;
  declare::Place place;
};

/// All files of one unit.
struct Unit {
  std::string name;
  std::vector<Line> lines = {};
  [[nodiscard]] bool says(std::string_view key, std::string_view value) const {
    return std::ranges::any_of(lines, [&](const Line& each) { return each.setting.key == key && each.setting.value == value; });
  }
};

/// "microvm@test-vm.service", ".../microvm@.service.d/50.conf" -> "microvm@.service": an instance joins its template.
std::string unit_of(const std::string& file) {
  const std::size_t slash = file.rfind('/');
  std::string name = slash == std::string::npos ? file : file.substr(slash + 1);
  if (name.ends_with(".conf") && slash != std::string::npos) {
    const std::string folder = file.substr(0, slash);
    const std::size_t above = folder.rfind('/');
    const std::string last = above == std::string::npos ? folder : folder.substr(above + 1);
    if (last.ends_with(".d")) name = last.substr(0, last.size() - 2);
  }
  const std::size_t at = name.find('@');
  const std::size_t dot = name.rfind('.');
  if (at != std::string::npos && dot != std::string::npos && dot > at) name.erase(at + 1, dot - at - 1);
  return name;
}

bool loads(std::string_view key) {
  return key == "LoadCredential" || key == "LoadCredentialEncrypted" || key == "ImportCredential" || key == "SetCredential" ||
         key == "SetCredentialEncrypted";
}

/// systemd.system-credentials(7): names that programs of systemd take where they are given, and do without otherwise. Ours
/// are the same: without `vmcred.identity` the host's key file is read, without `vmcred.link` there is no link.
bool well_known(std::string_view name) {
  static constexpr std::array<std::string_view, 23> kFirstWords{
      "cryptsetup", "firstboot", "fsck",   "fstab", "getty", "home",   "imds",     "import", "journal",  "login",   "network",
      "passwd",     "quotacheck", "shell", "ssh",   "sysctl", "system", "systemd", "sysusers", "tmpfiles", "udev", "vconsole", "vmcred"};
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && std::ranges::find(kFirstWords, name.substr(0, dot)) != kFirstWords.end();
}

/// Any setting that gives the service a mount namespace hides the credentials of others.
bool has_own_mounts(const Unit& unit) {
  static constexpr std::array<std::string_view, 6> kBooleans{"PrivateMounts", "PrivateTmp", "PrivateDevices", "DynamicUser", "ProtectKernelTunables", "ProtectControlGroups"};
  static constexpr std::array<std::string_view, 9> kAnyValue{"ProtectSystem", "ProtectHome", "ReadOnlyPaths", "ReadWritePaths", "InaccessiblePaths",
                                                             "BindPaths", "BindReadOnlyPaths", "TemporaryFileSystem", "RootDirectory"};
  return std::ranges::any_of(unit.lines, [](const Line& each) {
    const Setting& setting = each.setting;
    if (std::ranges::find(kBooleans, setting.key) != kBooleans.end()) return is_yes(setting.value);
    return std::ranges::find(kAnyValue, setting.key) != kAnyValue.end() && !setting.value.empty() && setting.value != "no" && setting.value != "false";
  });
}

void check_load(const Unit& unit, const Line& line, std::set<std::string>& ids, std::vector<Finding>& findings) {
  const auto& [section, key, value, number] = line.setting;
  if (value.empty()) return ids.clear();  // resets the list
  const std::size_t colon = value.find(':');
  const std::string id = value.substr(0, colon);
  const std::string source = colon == std::string::npos ? id : value.substr(colon + 1);
  const bool absolute = source.starts_with('/') || source.starts_with('%');
  if (!declare::valid_credential_name(id) || source.empty() || (!absolute && !declare::valid_credential_name(source))) {
    findings.push_back(finding(Code::ignored_credential_line, line.place, fmt::format("{}: systemd ignores '{}={}'", unit.name, key, value),
                               "write NAME:/absolute/path, or NAME:NAME_IN_THE_VM in a guest"));
    return;
  }
  if (!ids.insert(id).second) {
    findings.push_back(finding(Code::credential_twice, line.place, fmt::format("{}: '{}' is loaded twice, the last one counts", unit.name, id),
                               "give one of them another name"));
  }
  if (unit.name.starts_with("microvm@") && !id.starts_with(declare::kHostPrefix)) {
    findings.push_back(finding(Code::no_host_prefix, line.place,
                               fmt::format("{}: the host credential '{}' has no prefix '{}'", unit.name, id, declare::kHostPrefix),
                               fmt::format("call it '{}', and in credentialFiles as well", declare::host_name_of(id))));
  }
  if (!absolute && !well_known(source) && !unit.says("AssertCredential", source)) {
    findings.push_back(finding(Code::relative_load_credential, line.place,
                               fmt::format("{}: systemd starts the service without '{}' when '{}' is missing, silently", unit.name, id, source),
                               fmt::format("in a guest add AssertCredential={} to [Unit]; on a host name an absolute path", source)));
  }
}

void check_exposed(const Unit& unit, const Line& line, std::vector<Finding>& findings) {
  const auto& [section, key, value, number] = line.setting;
  std::optional<std::string> what;
  std::string hint = "load it: LoadCredential=NAME:/path/of/the/secret";
  if (key == "SetCredential") {
    const std::size_t colon = value.find(':');
    if (colon != std::string::npos) what = exposed(value.substr(0, colon), value.substr(colon + 1));
  } else if (key == "Environment") {
    for (const auto& [name, text] : assignments(value))
      if (!what) what = exposed(name, text);
  } else if (key.starts_with("Exec")) {
    if (const auto shape = shape_of(value)) what = std::string(*shape);
  }
  if (!what) return;
  findings.push_back(finding(Code::secret_in_unit, line.place,
                             fmt::format("{}: {}= holds what looks like a secret: {}", unit.name, key, *what), hint));
}

void check_unit(const Unit& unit, int systemd, std::vector<Finding>& findings) {
  const Line* first = nullptr;
  std::set<std::string> ids;
  for (const Line& line : unit.lines) {
    const std::string& key = line.setting.key;
    if (line.setting.section != "Service") continue;
    if (loads(key) && first == nullptr && !well_known(line.setting.value)) first = &line;
    if (key == "LoadCredential" || key == "LoadCredentialEncrypted") check_load(unit, line, ids, findings);
    if (key == "ImportCredential" && systemd < kFirstWithImport) {
      findings.push_back(finding(Code::import_credential_too_old, line.place,
                                 fmt::format("{}: systemd {} does not know ImportCredential= and starts the service without", unit.name, systemd),
                                 "use LoadCredential=NAME:NAME_IN_THE_VM, which every version since 247 knows"));
    }
    if (key == "RefreshOnReload" && systemd < kFirstWithRefresh) {
      findings.push_back(finding(Code::refresh_too_old, line.place,
                                 fmt::format("{}: systemd {} does not know RefreshOnReload=, a reload keeps the old value", unit.name, systemd),
                                 "restart the service instead, or use systemd 260"));
    }
    check_exposed(unit, line, findings);
  }
  if (first != nullptr && !has_own_mounts(unit)) {
    findings.push_back(finding(Code::no_private_mounts, first->place,
                               fmt::format("{}: services of the same user can read its credentials", unit.name),
                               "add PrivateMounts=yes to [Service]"));
  }
}

}  // namespace

std::vector<Finding> check_units(const std::vector<UnitText>& units, int systemd) {
  std::map<std::string, Unit> by_name;
  for (const UnitText& each : units) {
    Unit& unit = by_name[unit_of(each.file)];
    unit.name = unit_of(each.file);
    for (Setting& setting : read_unit(each.text)) {
      const int line = setting.line;
      unit.lines.push_back({std::move(setting), {.file = each.file, .line = line, .column = 1}});
    }
  }
  std::vector<Finding> findings;
  for (const auto& [name, unit] : by_name) check_unit(unit, systemd, findings);
  return findings;
}

}  // namespace vmcred::chain
