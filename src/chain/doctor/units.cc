// Why units failed, or would: the credentials of each, looked up once more; and units of vms that share a user.
#include <algorithm>
#include <cstdlib>
#include <map>

#include "base/file.h"
#include "chain/doctor/doctor.h"
#include "chain/doctor/lookup.h"
#include "credential/limits.h"

namespace vmcred::chain::doctor {
namespace {

constexpr std::size_t kMaxUnitFile = 1024UL * 1024;
constexpr std::size_t kMaxStatus = 64UL * 1024;
constexpr int kFirstWithImport = 254;

declare::Place place_of(const UnitState& unit) { return {.file = unit.files.empty() ? unit.name : unit.files.front()}; }

std::vector<unitfile::UnitText> read_files(const Doors& doors, const UnitState& unit, std::vector<Finding>& findings) {
  std::vector<unitfile::UnitText> texts;
  for (const std::string& file : unit.files) {
    auto text = read_file(doors.at(file), kMaxUnitFile);
    if (!text) {
      findings.push_back(finding(Code::not_looked_at, {.file = file}, text.error().message));
      continue;
    }
    texts.push_back({file, std::move(*text)});
  }
  return texts;
}

Finding of_line(Code code, const UnitState& unit, const Looked& looked, const std::string& message) {
  Finding found = finding(code, place_of_line(looked.line), fmt::format("{}: {}", unit.name, message), looked.hint);
  found.details = looked.steps;
  return found;
}

/// True: this stops the unit.
bool judge(const UnitState& unit, const Looked& looked, std::vector<Finding>& findings) {
  const std::string setting = fmt::format("{}=", setting_name(looked.line.kind));
  switch (looked.outcome) {
    case Outcome::fatal:
      findings.push_back(of_line(
          Code::unit_credential_failed, unit, looked,
          fmt::format("systemd cannot load credential '{}': '{}': {}", looked.line.id, looked.path, looked.why)));
      return true;
    case Outcome::absent:
      if (looked.line.kind == LineKind::import) return false;  // optional by its nature
      findings.push_back(of_line(
          Code::unit_credential_absent, unit, looked,
          fmt::format("credential '{}' is found nowhere, and systemd starts the unit without it", looked.line.id)));
      findings.back().hint =
          fmt::format("name an absolute path ({}{}:/path), which must exist", setting, looked.line.id);
      return false;
    case Outcome::unknown:
      findings.push_back(of_line(
          Code::not_looked_at, unit, looked,
          fmt::format("credential '{}' cannot be followed: '{}': {}", looked.line.id, looked.path, looked.why)));
      return false;
    case Outcome::found:
    case Outcome::fallback:
      return false;
  }
  return false;
}

/// systemd counts names and values of one service together.
bool judge_amount(const UnitState& unit, const std::vector<Looked>& all, std::vector<Finding>& findings) {
  std::uint64_t sum = 0;
  for (const Looked& looked : all) sum += looked.line.id.size() + looked.bytes;
  if (sum <= credential::kMaxService) return false;
  Finding found = finding(Code::unit_credentials_too_large, place_of(unit),
                          fmt::format("{}: its credentials are {} bytes with their names, systemd hands out {}",
                                      unit.name, sum, credential::kMaxService),
                          "load fewer or smaller ones");
  for (const Looked& looked : all) found.details.push_back(fmt::format("{}: {} bytes", looked.line.id, looked.bytes));
  findings.push_back(std::move(found));
  return true;
}

void judge_ignored(const UnitState& unit, const CredentialLines& lines, int systemd, std::vector<Finding>& findings) {
  for (const CredentialLine& line : lines.ignored) {
    findings.push_back(finding(
        Code::ignored_credential_line, place_of_line(line),
        fmt::format("{}: systemd ignores '{}={}': {}", unit.name, setting_name(line.kind), line.source, line.why),
        "write NAME:/absolute/path"));
  }
  if (systemd == 0 || systemd >= kFirstWithImport) return;
  for (const CredentialLine& line : lines.lines) {
    if (line.kind != LineKind::import) continue;
    findings.push_back(finding(
        Code::import_credential_too_old, place_of_line(line),
        fmt::format("{}: systemd {} does not know ImportCredential= and starts the unit without", unit.name, systemd),
        "use LoadCredential=NAME:NAME, which every version since 247 knows"));
  }
}

void examine(const Doors& doors, const UnitState& unit, int systemd, bool named, std::vector<Finding>& findings) {
  if (unit.load == "not-found" || unit.load == "masked") {
    findings.push_back(finding(Code::unit_failed, {.file = unit.name},
                               fmt::format("{}: there is no such unit ({})", unit.name, unit.load),
                               unit.load == "masked" ? "systemctl unmask " + unit.name
                                                     : "'vmcred vm units --install' writes the units of this machine"));
    return;
  }
  const CredentialLines lines = unitfile::credential_lines(read_files(doors, unit, findings), unit.name, systemd);
  std::vector<CredentialLine> known = lines.lines;
  if (systemd != 0 && systemd < kFirstWithImport)
    std::erase_if(known, [](const auto& line) { return line.kind == LineKind::import; });
  const std::vector<Looked> all = look_up(doors, unit.name, systemd, known);
  bool stops = false;
  for (const Looked& looked : all) stops |= judge(unit, looked, findings);
  stops |= judge_amount(unit, all, findings);
  judge_ignored(unit, lines, systemd, findings);
  if (!unit.failed() || stops) return;
  const bool by_credentials = unit.exit_status == kExitCredentials;
  findings.push_back(finding(
      Code::unit_failed, place_of(unit), fmt::format("{} failed: {}", unit.name, failure_in_words(unit)),
      by_credentials ? fmt::format("every credential of it can be loaded now: 'systemctl restart {}'", unit.name)
                     : fmt::format("'journalctl -u {}' has what it said", unit.name)));
  if (named) findings.back().details.push_back(fmt::format("looked up {} credentials, all can be loaded", all.size()));
}

/// The real uid in /proc/PID/status.
Result<unsigned long> uid_of(const Doors& doors, pid_t pid) {
  TRY_LET(const std::string status, read_file(doors.at(fmt::format("/proc/{}/status", pid)), kMaxStatus));
  const std::size_t at = status.find("\nUid:\t");
  if (at == std::string::npos) return fail(Errc::invalid_data, "no uid of process {}", pid);
  return std::strtoul(status.c_str() + at + 6, nullptr, 10);
}

}  // namespace

std::vector<Finding> examine_units(const Doors& doors, const std::vector<UnitState>& units, int systemd, bool named) {
  std::vector<Finding> findings;
  for (const UnitState& unit : units)
    if (named || unit.failed()) examine(doors, unit, systemd, named, findings);
  return findings;
}

std::vector<Finding> examine_users(const Doors& doors, const std::vector<UnitState>& units) {
  std::map<unsigned long, std::vector<const UnitState*>> by_uid;
  for (const UnitState& unit : units) {
    if (!unit.name.starts_with("microvm@") || unit.main_pid == 0) continue;
    if (const auto uid = uid_of(doors, unit.main_pid)) by_uid[*uid].push_back(&unit);
  }
  std::vector<Finding> findings;
  for (const auto& [uid, same] : by_uid) {
    if (same.size() < 2) continue;
    Finding found =
        finding(Code::shared_user, place_of(*same.front()),
                fmt::format("{} vms run with uid {}: each can read the credentials and the memory of the others",
                            same.size(), uid),
                "give each its own: DynamicUser=yes with User=vmcred-%i, as 'vmcred vm units' does");
    for (const UnitState* unit : same) found.details.push_back(unit->name);
    findings.push_back(std::move(found));
  }
  return findings;
}

}  // namespace vmcred::chain::doctor
