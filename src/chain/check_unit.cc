// Findings of unit files that somebody wrote, on the host or in the guest.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "chain/check.h"
#include "chain/configuration_text.h"
#include "chain/unit_files.h"
#include "declare/names.h"
#include "shape/secret_shape.h"
#include "unitfile/credential_lines.h"
#include "unitfile/mount_namespace.h"

namespace vmcred::chain {
namespace {

using unitfile::CredentialLine;
using unitfile::LineKind;
using unitfile::Setting;

constexpr int kFirstWithRefresh = 260;
constexpr int kFirstWithUsersKeys = 256;  // LoadCredentialEncrypted= of users' services

/// One unit: its files in systemd's order, and what they say.
struct Unit {
  std::string name;
  std::vector<UnitText> files = {};
  std::vector<Setting> settings = {};
  [[nodiscard]] bool says(std::string_view key, std::string_view value) const {
    return std::ranges::any_of(settings, [&](const Setting& each) { return each.key == key && each.value == value; });
  }
  [[nodiscard]] bool of_a_user() const {
    return !files.empty() && unitfile::manager_of(files.front().file) == unitfile::Manager::user;
  }
};

declare::Place place_of(const CredentialLine& line) { return {.file = line.file, .line = line.line, .column = 1}; }

/// systemd.system-credentials(7): names that programs of systemd take where they are given, and do without otherwise.
/// Ours are the same: without `vmcred.identity` the host's key file is read, without `vmcred.link` there is no link.
bool well_known(std::string_view name) {
  static constexpr std::array<std::string_view, 23> kFirstWords{
      "cryptsetup", "firstboot", "fsck",     "fstab",    "getty",      "home",     "imds",  "import",
      "journal",    "login",     "network",  "passwd",   "quotacheck", "shell",    "ssh",   "sysctl",
      "system",     "systemd",   "sysusers", "tmpfiles", "udev",       "vconsole", "vmcred"};
  const std::size_t dot = name.find('.');
  return dot != std::string_view::npos && std::ranges::find(kFirstWords, name.substr(0, dot)) != kFirstWords.end();
}

void check_ignored(const Unit& unit, const CredentialLine& line, std::vector<Finding>& findings) {
  findings.push_back(
      finding(Code::ignored_credential_line, place_of(line),
              fmt::format("{}: systemd ignores '{}={}': {}", unit.name, setting_name(line.kind), line.source, line.why),
              line.kind == LineKind::import ? "write NAME, or PREFIX* with the '*' at the end"
                                            : "write NAME:/absolute/path, or NAME:NAME_IN_THE_VM in a guest"));
}

void check_load(const Unit& unit, const CredentialLine& line, bool has_default, std::vector<Finding>& findings) {
  if (line.replaces) {
    findings.push_back(finding(Code::credential_twice, place_of(line),
                               fmt::format("{}: '{}' is loaded twice, the last one counts", unit.name, line.id),
                               "give one of them another name"));
  }
  if (unit.name.starts_with("microvm@") && !line.id.starts_with(declare::kHostPrefix)) {
    findings.push_back(finding(
        Code::no_host_prefix, place_of(line),
        fmt::format("{}: the host credential '{}' has no prefix '{}'", unit.name, line.id, declare::kHostPrefix),
        fmt::format("call it '{}', and in credentialFiles as well", declare::host_name_of(line.id))));
  }
  const bool absolute = line.source.starts_with('/') || line.source.starts_with('%');
  if (!absolute && !has_default && !well_known(line.source) && !unit.says("AssertCredential", line.source) &&
      !unit.says("AssertPathExistsGlob", fmt::format("/run/{{credentials/@system,credstore}}/{}", line.source))) {
    findings.push_back(finding(
        Code::relative_load_credential, place_of(line),
        fmt::format("{}: systemd starts the service without '{}' when '{}' is missing, silently", unit.name, line.id,
                    line.source),
        fmt::format("in a guest add AssertCredential={} to [Unit]; on a host name an absolute path", line.source)));
  }
}

/// Encrypted credentials in a user's manager.
void check_user(const Unit& unit, const CredentialLine& line, int systemd, std::vector<Finding>& findings) {
  if (!unit.of_a_user() || systemd >= kFirstWithUsersKeys ||
      (line.kind != LineKind::load_encrypted && line.kind != LineKind::set_encrypted))
    return;
  findings.push_back(
      finding(Code::encrypted_for_a_user, place_of(line),
              fmt::format("{}: systemd {} opens no encrypted credentials for users' services, and does not start them",
                          unit.name, systemd),
              "use systemd 256, or a service of the system with User="));
}

/// The words of an Exec…= line without its prefixes; those of a shell's script where it runs one.
std::vector<std::string> command_in(std::string_view line) {
  std::vector<std::string> words = shell_words(line.substr(std::min(line.find_first_not_of("@-:+!|"), line.size())));
  if (words.size() < 3) return words;
  const std::string_view program = std::string_view(words[0]).substr(words[0].rfind('/') + 1);
  const bool shell = program == "sh" || program == "bash" || program == "dash" || program == "zsh";
  const auto script =
      std::ranges::find_if(words, [](std::string_view word) { return word == "-c" || word == "-ec" || word == "-lc"; });
  if (!shell || script == words.end() || script + 1 == words.end()) return words;
  words = shell_words(*(script + 1));
  if (!words.empty() && words.front() == "exec") words.erase(words.begin());
  return words;
}

/// A hypervisor that the unit starts: what its command line does, apart from secrets that were told.
void check_hypervisor(const Setting& setting, const declare::Place& place, int systemd, bool told,
                      std::vector<Finding>& findings) {
  const std::vector<std::string> words = command_in(setting.value);
  if (!reads_command_line(words)) return;
  for (Finding& each :
       check_command_line(words, place.file, systemd, std::vector<declare::Place>(words.size(), place))) {
    const bool secret = each.code == Code::secret_on_command_line;
    if (!secret || (!told && each.level == Level::error)) findings.push_back(std::move(each));
    told = told || secret;
  }
}

void check_exposed(const Unit& unit, const Setting& setting, const declare::Place& place, int systemd,
                   std::vector<Finding>& findings) {
  std::optional<std::string_view> what;
  const bool runs = setting.key.starts_with("Exec");
  if (setting.key == "SetCredential") {
    const std::size_t colon = setting.value.find(':');
    if (colon != std::string::npos)
      what = shape::looks_like_secret(std::string_view(setting.value).substr(colon + 1),
                                      std::string_view(setting.value).substr(0, colon));
  } else if (runs || setting.key == "Environment" || (setting.key == "Options" && setting.section == "Mount")) {
    what = shape::looks_like_secret(setting.value);
  }
  if (what)
    findings.push_back(finding(Code::secret_in_unit, place,
                               fmt::format("{}: {}= holds what looks like a secret: {}", unit.name, setting.key, *what),
                               setting.key == "Options" ? "name a file: credentials=/path/of/the/secret"
                                                        : "load it: LoadCredential=NAME:/path/of/the/secret"));
  if (runs) check_hypervisor(setting, place, systemd, what.has_value(), findings);
}

/// "loadcredential" and "LoadCredentials" are none of systemd's.
std::string_view meant_setting(std::string_view key) {
  const auto plain = [](std::string_view text) {
    std::string letters;
    for (const char c : text) letters += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (const std::size_t at = letters.find("credentials"); at != std::string::npos) letters.erase(at + 10, 1);
    return letters;
  };
  for (const LineKind kind :
       {LineKind::load, LineKind::load_encrypted, LineKind::set, LineKind::set_encrypted, LineKind::import})
    if (plain(key) == plain(setting_name(kind))) return setting_name(kind);
  return {};
}

/// A credential setting in a section that has none, or with a name that is nearly one: systemd ignores it.
void check_misplaced(const Unit& unit, const Setting& setting, const declare::Place& place,
                     std::vector<Finding>& findings) {
  const std::string_view meant = meant_setting(setting.key);
  const std::string_view own = unitfile::section_of(unit.name);
  if (meant.empty() || setting.section.starts_with("X-") || (setting.section == own && setting.key == meant)) return;
  const std::string where = setting.section.empty() ? "before the first section" : "in [" + setting.section + "]";
  findings.push_back(finding(Code::ignored_credential_line, place,
                             fmt::format("{}: systemd ignores '{}=' {}", unit.name, setting.key, where),
                             own.empty() ? "units of this type start no processes: write it in the service's"
                                         : fmt::format("write {}= in [{}]", meant, own)));
}

void check_settings(const Unit& unit, int systemd, std::vector<Finding>& findings) {
  const std::string_view own = unitfile::section_of(unit.name);
  for (const UnitText& file : unit.files) {
    for (const Setting& setting : unitfile::read_unit(file.text)) {
      const declare::Place place = {.file = file.file, .line = setting.line, .column = 1};
      check_misplaced(unit, setting, place, findings);
      if (setting.section != own) continue;
      if (setting.key == "ImportCredential" && systemd < unitfile::kFirstWithImport) {
        findings.push_back(
            finding(Code::import_credential_too_old, place,
                    fmt::format("{}: systemd {} does not know ImportCredential= and starts the service without",
                                unit.name, systemd),
                    "use LoadCredential=NAME:NAME_IN_THE_VM, which every version since 247 knows"));
      }
      if (setting.key == "RefreshOnReload" && systemd < kFirstWithRefresh) {
        findings.push_back(
            finding(Code::refresh_too_old, place,
                    fmt::format("{}: systemd {} does not know RefreshOnReload=, a reload keeps the old value",
                                unit.name, systemd),
                    "restart the service instead, or use systemd 260"));
      }
      check_exposed(unit, setting, place, systemd, findings);
    }
  }
}

/// What an image brings along is not looked into: its own unit files, and extensions of /etc.
void check_images(const Unit& unit, bool loads, std::vector<Finding>& findings) {
  const std::string_view own = unitfile::section_of(unit.name);
  if (unit.files.front().file.contains("system.attached/")) {
    findings.push_back(
        finding(Code::image_not_looked_into, {.file = unit.files.front().file},
                fmt::format("{}: it belongs to a portable service, whose image is not looked into", unit.name)));
  }
  if (!loads) return;
  constexpr std::array<std::string_view, 4> kImages{"RootImage", "ExtensionImages", "ExtensionDirectories",
                                                    "MountImages"};
  for (const UnitText& file : unit.files) {
    for (const Setting& setting : unitfile::read_unit(file.text)) {
      if (setting.section != own || setting.value.empty() ||
          std::ranges::find(kImages, std::string_view(setting.key)) == kImages.end())
        continue;
      findings.push_back(finding(Code::image_not_looked_into, {.file = file.file, .line = setting.line, .column = 1},
                                 fmt::format("{}: what {}= brings along is not looked into", unit.name, setting.key)));
    }
  }
}

void check_unit(const Unit& unit, int systemd, std::vector<Finding>& findings) {
  check_settings(unit, systemd, findings);
  // %i of a template stays as it is.
  std::string name = unit.name;
  if (const std::size_t at = name.find("@."); at != std::string::npos) name.insert(at + 1, "%i");
  const unitfile::CredentialLines found = unitfile::credential_lines(unit.files, name, systemd);
  const bool imports = systemd >= unitfile::kFirstWithImport;
  for (const CredentialLine& line : found.ignored)
    if (line.kind != LineKind::import || imports) check_ignored(unit, line, findings);
  std::set<std::string> defaults;
  for (const CredentialLine& line : found.lines)
    if (line.kind == LineKind::set || line.kind == LineKind::set_encrypted) defaults.insert(line.id);
  const CredentialLine* first = nullptr;
  for (const CredentialLine& line : found.lines) {
    if (line.kind == LineKind::import && !imports) continue;
    if (first == nullptr && !well_known(line.id)) first = &line;
    if (line.kind == LineKind::load || line.kind == LineKind::load_encrypted)
      check_load(unit, line, defaults.contains(line.id), findings);
    check_user(unit, line, systemd, findings);
  }
  check_images(unit, first != nullptr, findings);
  if (first != nullptr && !unitfile::makes_mount_namespace(unit.settings, unit.name, systemd)) {
    findings.push_back(finding(Code::no_private_mounts, place_of(*first),
                               fmt::format("{}: services of the same user can read its credentials", unit.name),
                               fmt::format("add PrivateMounts=yes to [{}]", unitfile::section_of(unit.name))));
  }
}

/// A line of a template counts for each of its instances, and is told once.
void tell_once(std::vector<Finding>& findings) {
  std::set<std::tuple<Code, std::string, int>> told;
  std::erase_if(findings,
                [&](const Finding& each) { return !told.emplace(each.code, each.place.file, each.place.line).second; });
}

}  // namespace

std::vector<Finding> check_units(const std::vector<UnitText>& units, int systemd) {
  std::vector<Finding> findings;
  for (const UnitOfFiles& read : files_of_units(units)) {
    if (read.files.empty()) continue;
    Unit unit = {.name = read.name, .files = read.files};
    for (const UnitText& each : read.files)
      for (Setting& setting : unitfile::read_unit(each.text)) unit.settings.push_back(std::move(setting));
    check_unit(unit, systemd, findings);
  }
  tell_once(findings);
  return findings;
}

}  // namespace vmcred::chain
