// vmcred vm status: what a vm's supervisor knows.
#include "base/foreign_text.h"
#include "project/project.h"
#include "supervise/arrival.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vm/commands.h"
#include "vm/project_for_vm.h"
#include "vm/running.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"NAME", "the vm"},
};

/// "web.service (active), worker.service (failed)"
std::string services_text(const std::vector<supervise::ServiceLine>& services) {
  std::string text;
  for (const auto& [unit, state] : services) {
    text += fmt::format("{}{}{}", text.empty() ? "" : ", ", unit, state.empty() ? "" : fmt::format(" ({})", state));
  }
  return text;
}

/// "ready, multi-user.target: Startup finished in 5s."; unproven, so in systemd's own words.
std::string systemd_text(const supervise::SystemdWord& word) {
  std::string text;
  const auto add = [&text](std::string_view between, const std::string& part) {
    if (!part.empty()) text += (text.empty() ? "" : std::string(between)) + part;
  };
  add("", word.ready ? "ready" : "");
  add(", ", word.unit);
  add(", ", word.shutdown.empty() ? "" : "shuts down: " + word.shutdown);
  add(", ", word.exit_status < 0 ? "" : fmt::format("exit status {}", word.exit_status));
  add(": ", word.status);
  return text;
}

Style style_of(supervise::Arrival arrival) {
  switch (arrival) {
    case supervise::Arrival::proven:
      return Style::green;
    case supervise::Arrival::arrived:
      return Style::bold;
    case supervise::Arrival::unknown:
      return Style::dim;
    case supervise::Arrival::older:
      return Style::yellow;
    case supervise::Arrival::broken:
      break;
  }
  return Style::red;
}

std::string picture(const supervise::Status& status, bool color) {
  std::string text = fmt::format("{}: {}", status.vm, supervise::state_name(status.state));
  if (!status.detail.empty()) text += fmt::format(" ({})", one_line(status.detail));
  text += '\n';
  if (status.supervisor == 0) return text;
  text += fmt::format("  proof: {}\n",
                      styled(supervise::arrival_text(status), style_of(supervise::arrival_of(status)), color));
  if (status.generation != 0) {
    const bool newest = status.generation == status.expected_generation;
    text += newest ? fmt::format("  holds: generation {}\n", status.generation)
                   : fmt::format("  holds: generation {}, not the newest, {}\n", status.generation,
                                 status.expected_generation);
  }
  if (!status.guest_systemd.empty()) text += fmt::format("  guest: systemd {}\n", one_line(status.guest_systemd));
  if (const std::string word = systemd_text(status.systemd); !word.empty())
    text += fmt::format("  says:  {}\n", one_line(word));
  if (status.turned_away != 0) {
    text += fmt::format("  link:  speakers without a valid key that were turned away: {}\n", status.turned_away);
  }
  for (const std::string& notice : status.notices) text += fmt::format("  note:  {}\n", one_line(notice));
  text += fmt::format("  since: {}\n", rfc3339(SystemTime(std::chrono::seconds(status.started_unix))));
  if (status.ready_after_ms >= 0)
    text += fmt::format("  ready: after {:.1f} s\n", static_cast<double>(status.ready_after_ms) / 1000);
  text += fmt::format("  runs:  {}, supervisor {}, VMM {}, {} reboots\n", status.accel, status.supervisor, status.vmm,
                      status.reboots);
  if (status.receipts.empty()) return text;
  std::vector<std::vector<std::string>> rows = {{"CREDENTIAL", "MOOD", "STATE", "BYTES", "SERVICES THAT LOAD IT"}};
  for (const auto& line : status.receipts) {
    const supervise::Arrival arrival = supervise::arrival_of(line);
    rows.push_back({line.guest,
                    fmt::format("{} {}", supervise::arrival_mark(arrival), supervise::arrival_name(arrival)),
                    line.state, std::to_string(line.size), services_text(line.services)});
  }
  return text + table(rows, color);
}

Result<Exit> run(const Given& given, World& world) {
  const std::string name = given.at("NAME");
  // A vm that runs is known without a declaration; with one, also what of it is older than the store.
  const auto project = load_project(world);
  const bool declared = project && project->vms.contains(name);
  auto looked = declared ? look_at_vm(*project, project->vms.at(name), world) : running_status(world, name);
  TRY_LET(auto status, std::move(looked));
  if (!status) {
    // Nothing runs; the declaration tells a stopped vm from a mistyped one.
    TRY_LET(const declare::Declaration declaration, load_project_for_vm(world, name));
    TRY(find_vm(declaration, name));
    status = supervise::Status{.vm = name, .state = supervise::VmState::stopped};
  }
  if (world.json) {
    answer_with(world, supervise::status_json(*status));
  } else {
    print(world, picture(*status, world.color_out));
  }
  return Exit::done;
}

}  // namespace

constinit const Command kVmStatus = {
    "vm status",
    "show what a running vm received and how it fares",
    "Asks the vm's supervisor, and it asks the guest's agent where there is one: what the guest holds now, by\n"
    "generation and credential, and how the services fare that load them. With --json:\n"
    "{vm, state, generation, expected_generation, mood, receipts: [{guest, state, size, mood, services}], …}.\n\n"
    "The moods: 'proven' (it arrived byte for byte, and its services run with it), 'arrived' (nobody loads it, or "
    "whether\n"
    "somebody did is not known), 'older than the store' (a newer value waits for 'vmcred vm refresh'), 'unknown' (no "
    "receipt\n"
    "came), and 'broken' (missing, truncated, changed, shadowed). Beside these, \"proof\" in JSON says whether a "
    "complete\n"
    "receipt came.\n\n"
    "\"says\" (systemd in JSON) is what systemd in the guest tells by vmm.notify_socket, which any process there "
    "could\n"
    "tell as well: {ready, unit, status, hostname, shutdown, exit_status}.",
    kParameters,
    run,
};

}  // namespace vmcred::app
