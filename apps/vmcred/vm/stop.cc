// vmcred vm stop: ask a vm's supervisor to stop it and wait for the end.
#include "base/file.h"
#include "base/spelling.h"
#include "supervise/control.h"
#include "terminal/answer.h"
#include "vm/commands.h"
#include "vm/running.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"NAME", "the vm"},
};

/// Longer than all steps of a stop together.
constexpr std::chrono::seconds kStopLimit{60};

/// "Does not run" would be true of a mistyped name as well.
Result<> check_known(const std::string& name, const World& world) {
  declare::Declaration declaration;
  TRY_LET(const auto names, in(fmt::format("vm '{}' does not run", name), known_vms(world, declaration)));
  if (names.contains(name)) return {};
  return hint(fail(Errc::not_found, "no vm '{}' is declared, and none of that name runs", name),
              near_or_known(name, {names.begin(), names.end()}));
}

Result<Exit> run(const Given& given, World& world) {
  const std::string name = given.at("NAME");
  TRY_LET(auto client, connect_running(world, name));
  if (client) {
    TRY_LET(const Json answer, client->ask(Json::object().set("do", "stop"), kStopLimit));
    TRY_LET(const supervise::Status status, supervise::read_status(answer));
    answer_with(world, supervise::status_json(status));
    if (status.state != supervise::VmState::stopped) {
      return fail(Errc::unavailable, "vm '{}' was stopped, but not cleanly: {}", name, status.detail);
    }
    note(world, fmt::format("vm '{}' stopped: {}", name, status.detail));
    return Exit::done;
  }
  TRY(check_known(name, world));
  answer_with(world, Json::object().set("vm", name).set("state", "stopped"));
  note(world, fmt::format("vm '{}' does not run", name));
  return Exit::done;
}

}  // namespace

constinit const Command kVmStop = {
    "vm stop",
    "power a vm off",
    "Asks the guest to power off (by its agent, control-alt-delete or the power button), then ends the VMM.\n"
    "Returns when it is gone. A declared vm that does not run is no error.",
    kParameters,
    run,
};

}  // namespace vmcred::app
