#include "chain/doctor/unit_state.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace vmcred::chain::doctor {
namespace {

/// systemd.exec(5), "Process Exit Codes": what goes wrong before the program itself runs.
constexpr std::array<std::pair<int, std::string_view>, 14> kExits{{
    {200, "its working directory cannot be entered (200/CHDIR)"},
    {203, "its program cannot be executed (203/EXEC)"},
    {205, "a resource limit cannot be set (205/LIMITS)"},
    {209, "its standard output cannot be set up (209/STDOUT)"},
    {216, "its group is unknown (216/GROUP)"},
    {217, "its user is unknown or cannot be made (217/USER)"},
    {218, "its capabilities cannot be set (218/CAPABILITIES)"},
    {219, "its control group cannot be used (219/CGROUP)"},
    {226, "its namespaces cannot be set up (226/NAMESPACE): does every path in it exist?"},
    {228, "its system call filter cannot be set (228/SECCOMP)"},
    {233, "its runtime folder cannot be made (233/RUNTIME_DIRECTORY)"},
    {238, "its state folder cannot be made (238/STATE_DIRECTORY)"},
    {241, "its keyring cannot be set up (241/KEYRING)"},
    {kExitCredentials, "its credentials could not be set up (243/CREDENTIALS)"},
}};

int number(std::string_view text) {
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

void set(UnitState& unit, std::string_view key, std::string_view value) {
  if (key == "Id") unit.name = value;
  if (key == "LoadState") unit.load = value;
  if (key == "ActiveState") unit.active = value;
  if (key == "Result") unit.result = value;
  if (key == "ExecMainStatus") unit.exit_status = number(value);
  if (key == "MainPID") unit.main_pid = number(value);
  if (key == "FragmentPath" && !value.empty()) unit.files.insert(unit.files.begin(), std::string(value));
  if (key != "DropInPaths") return;
  while (!value.empty()) {
    const std::size_t end = std::min(value.find(' '), value.size());
    if (end > 0) unit.files.emplace_back(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
  }
}

}  // namespace

std::vector<UnitState> read_unit_states(std::string_view shown) {
  std::vector<UnitState> units;
  UnitState unit;
  const auto finish = [&] {
    if (!unit.name.empty()) units.push_back(std::move(unit));
    unit = {};
  };
  while (!shown.empty() && units.size() < kMaxUnits) {
    const std::string_view line = first_line(shown);
    shown.remove_prefix(std::min(line.size() + 1, shown.size()));
    const std::size_t equals = line.find('=');
    if (line.empty()) {
      finish();
    } else if (equals != std::string_view::npos) {
      set(unit, line.substr(0, equals), line.substr(equals + 1));
    }
  }
  finish();
  return units;
}

Result<std::vector<UnitState>> unit_states(const Doors& doors, const std::vector<std::string>& patterns) {
  std::vector<std::string> argv = {
      "systemctl", "show", "--no-pager",
      "--property=Id,LoadState,ActiveState,Result,ExecMainStatus,MainPID,FragmentPath,DropInPaths", "--"};
  argv.insert(argv.end(), patterns.begin(), patterns.end());
  TRY_LET(const Output output, in("ask systemd about its units", doors.run(argv)));
  if (!output.status.ok()) return fail(Errc::unavailable, "ask systemd about its units: {}", first_line(output.err));
  return read_unit_states(output.out);
}

int systemd_version(std::string_view text) {
  constexpr std::string_view kWord = "systemd ";
  return text.starts_with(kWord) ? number(text.substr(kWord.size())) : 0;
}

int host_systemd_version(const Doors& doors) {
  const auto output = doors.run({"systemctl", "--version"});
  return output ? systemd_version(output->out) : 0;
}

std::string failure_in_words(const UnitState& unit) {
  const auto known = std::ranges::find(kExits, unit.exit_status, &std::pair<int, std::string_view>::first);
  if (unit.exit_status != 0 && known != kExits.end()) return std::string(known->second);
  if (unit.result == "start-limit-hit") return "it failed too often in a row and is not started again";
  if (unit.result == "timeout") return "it took longer than its time limit";
  if (unit.result == "oom-kill") return "it ran out of memory";
  if (unit.result == "signal" || unit.result == "core-dump") return fmt::format("signal {} ended it", unit.exit_status);
  if (unit.exit_status != 0) return fmt::format("it ended with exit code {}", unit.exit_status);
  return fmt::format("systemd says '{}'", unit.result);
}

}  // namespace vmcred::chain::doctor
