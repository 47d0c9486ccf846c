// vmcred vm status: what a vm's supervisor knows.
#include "commands.h"
#include "project.h"
#include "terminal.h"
#include "vms.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"NAME", "the vm"},
};

std::string picture(const supervise::Status& status, bool color) {
  std::string text = fmt::format("{}: {}", status.vm, supervise::state_name(status.state));
  if (!status.detail.empty()) text += fmt::format(" ({})", status.detail);
  text += '\n';
  if (status.supervisor == 0) return text;
  text += fmt::format("  proof: {}\n", status.proven ? "every credential arrived byte for byte" : "unproven");
  text += fmt::format("  since: {}\n", rfc3339(SystemTime(std::chrono::seconds(status.started_unix))));
  if (status.ready_after_ms >= 0) text += fmt::format("  ready: after {:.1f} s\n", static_cast<double>(status.ready_after_ms) / 1000);
  text += fmt::format("  runs:  {}, supervisor {}, VMM {}, {} reboots\n", status.accel, status.supervisor, status.vmm, status.reboots);
  if (status.receipts.empty()) return text;
  std::vector<std::vector<std::string>> rows = {{"CREDENTIAL", "STATE", "BYTES"}};
  for (const auto& line : status.receipts) rows.push_back({line.guest, line.state, std::to_string(line.size)});
  return text + table(rows, color);
}

Result<Exit> run(const Given& given, World& world) {
  const std::string name = given.at("NAME");
  TRY_LET(auto status, running_status(world, name));
  if (!status) {
    // Nothing runs; the declaration tells a stopped vm from a mistyped one.
    TRY_LET(const declare::Declaration declaration, load_project(world));
    TRY(find_vm(declaration, name));
    status = supervise::Status{.vm = name, .state = supervise::VmState::stopped};
  }
  print(world, world.json ? dump_json(supervise::status_json(*status), Indent::two_spaces) : picture(*status, world.color_out));
  return Exit::done;
}

}  // namespace

constinit const Command kVmStatus = {
    "vm status",
    "show what a running vm received and how it fares",
    "Asks the vm's supervisor. With --json: {vm, state, generation, receipts: [{guest, state, size}], …}.",
    kParameters,
    run,
};

}  // namespace vmcred::app
