// vmcred activate: decrypt what this machine may read below /run.
#include "activate/activate.h"

#include <algorithm>

#include "base/process.h"
#include "commands.h"
#include "project.h"
#include "project_for_vm.h"
#include "running.h"
#include "trust.h"
#include "unit/host.h"
#include "vms.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"--restart", "restart the running units that use what changed"},
    {"--no-refresh", "leave running vms with the values that they have"},
    {"--verify", "only look whether the signed manifest is as it should be"},
    {"--root-prefix DIR", "work below DIR instead of / and mount nothing (for tests)"},
};

Result<std::string> this_machine(const declare::Declaration& declaration, const World& world) {
  if (!world.machine.empty()) return world.machine;
  if (declaration.machines.size() == 1) return declaration.machines.begin()->first;
  return hint(fail(Errc::usage, "the declaration has {} machines", declaration.machines.size()),
              "say which one this is with --machine");
}

/// What follows from the changes: who got new values while it ran, and what has to start again for them.
struct Consequences {
  std::vector<Refresh> refreshes = {};
  std::vector<std::string> restarts = {};
};

/// A running vm with an agent gets its new values at once; without one it has to start again. One that does not run has
/// nothing old.
Result<Consequences> refresh_users(const declare::Declaration& declaration, const activate::Report& report,
                                   const activate::Places& places, bool refresh, const World& world) {
  Consequences all = {.restarts = report.units};
  const auto restart = [&](const std::string& vm) { all.restarts.push_back(unit::unit_name_of(vm)); };
  std::vector<const declare::Vm*> with_agent;
  for (const std::string& name : report.vms) {
    const declare::Vm& vm = declaration.vms.at(name);
    if (refresh && vm.guest.agent) {
      with_agent.push_back(&vm);
    } else {
      restart(name);
    }
  }
  Fd turn;
  if (!with_agent.empty()) {
    TRY_LET(turn, activate::take_turn(places));
  }
  const auto values = [&](const declare::Vm& vm) { return activated_secrets(declaration, vm, places.link); };
  for (Refresh& each : refresh_running(with_agent, values, world)) {
    if (each.end == Refresh::End::no_agent) restart(each.vm);
    if (each.end == Refresh::End::refreshed || each.end == Refresh::End::failed) all.refreshes.push_back(std::move(each));
  }
  std::ranges::sort(all.restarts);
  return all;
}

void print_report(const World& world, const std::string& machine, const activate::Report& report, const Consequences& consequences) {
  if (world.json) {
    Json changes = Json::array();
    for (const auto& change : report.published.changes) {
      changes.push(Json::object().set("path", change.path).set("change", change_name(change.kind)));
    }
    Json failed = Json::array();
    for (const auto& one : report.published.failed) {
      failed.push(Json::object().set("path", one.path).set("error", one.error.message));
    }
    Json refreshed = Json::array();
    for (const Refresh& each : consequences.refreshes) {
      Json one = Json::object().set("vm", each.vm).set("done", each.end == Refresh::End::refreshed);
      if (!each.error.empty()) one.set("error", each.error);
      refreshed.push(std::move(one));
    }
    print(world, dump_json(Json::object()
                               .set("machine", machine)
                               .set("generation", static_cast<std::int64_t>(report.published.number))
                               .set("switched", report.published.switched)
                               .set("files", report.count)
                               .set("changes", std::move(changes))
                               .set("failed", std::move(failed))
                               .set("refreshed", std::move(refreshed))
                               .set("restart", Json::strings(consequences.restarts)),
                           Indent::two_spaces));
    return;
  }
  if (!report.published.switched) {
    note(world, fmt::format("generation {} of machine '{}' is up to date: {} files", report.published.number, machine, report.count));
  } else {
    note(world, fmt::format("generation {} of machine '{}' is active: {} files", report.published.number, machine, report.count));
  }
  for (const auto& change : report.published.changes) {
    if (!report.published.first) print(world, fmt::format("{}: {}\n", change.path, change_name(change.kind)));
  }
  for (const Refresh& each : consequences.refreshes) {
    if (each.end == Refresh::End::refreshed) print(world, fmt::format("refreshed: vm '{}'\n", each.vm));
  }
  for (const std::string& unit : consequences.restarts) print(world, fmt::format("restart: {}\n", unit));
}

/// systemd restarts what runs and leaves the rest alone; it does so after us, for we may be one of its jobs.
Result<> restart_units(const std::vector<std::string>& units) {
  if (units.empty()) return {};
  std::vector<std::string> argv = {"systemctl", "--no-block", "try-restart", "--"};
  argv.insert(argv.end(), units.begin(), units.end());
  TRY_LET(const Output output, vmcred::run({.argv = std::move(argv)}));
  if (output.status.ok()) return {};
  return fail(Errc::unavailable, "restart the units that use what changed: {}", output.err.substr(0, output.err.find('\n')));
}

Result<Exit> run(const Given& given, World& world) {
  const std::string prefix = given.at("root-prefix");
  // Before anything else in that folder is looked at: who vouches for it.
  const HostTrust trust = host_trust(prefix);
  TRY_LET(std::optional<store::Proven> proven, prove_on_host(world.project, trust, world));
  if (given.has("verify")) {
    note(world, proven ? fmt::format("signed by {}, counter {}", proven->signer, proven->manifest.counter)
                       : fmt::format("this host demands no signatures: there is no '{}'", trust.signers));
    return Exit::done;
  }
  TRY_LET(const declare::Declaration declaration, load_project_for_vm(world, ""));
  TRY_LET(const std::string machine, this_machine(declaration, world));
  TRY_LET(store::Repository repository, store::Repository::open(declaration.folder));
  TRY_LET(store::KeyRing keys, store::KeyRing::of_host(world.environment, prefix.empty() ? "/" : prefix));
  if (proven) {
    if (proven->manifest.machine != machine)
      return fail(Errc::mismatch, "the signed manifest is for machine '{}', not '{}'", proven->manifest.machine, machine);
    TRY(store::check_key(proven->manifest, keys));
    TRY(store::write_last_manifest(trust.last, proven->as_last));
    repository.demand(store::proof_by(std::move(proven->manifest)));
  }
  activate::Places places;
  if (!prefix.empty()) {
    places = {.generations = prefix + places.generations, .link = prefix + places.link, .mount = false};
  }
  TRY_LET(const activate::Report report,
          in(fmt::format("activate machine '{}'", machine),
             activate::activate({.declaration = declaration, .repository = repository, .keys = keys, .machine = machine, .places = places})));
  TRY_LET(const Consequences consequences, refresh_users(declaration, report, places, !given.has("no-refresh"), world));
  print_report(world, machine, report, consequences);
  if (given.has("restart")) TRY(restart_units(consequences.restarts));
  World loud = world;
  loud.quiet = false;
  bool good = report.published.failed.empty();
  for (const auto& one : report.published.failed) note(loud, fmt::format("vmcred: error: {}: {}", one.path, one.error.message));
  for (const Refresh& each : consequences.refreshes) {
    if (each.end != Refresh::End::failed) continue;
    note(loud, fmt::format("vmcred: error: vm '{}' keeps its old credentials: {}", each.vm, each.error));
    good = false;
  }
  return good ? Exit::done : Exit::failed;
}

}  // namespace

constinit const Command kActivate = {
    "activate",
    "decrypt this machine's vars below /run/vmcred (root)",
    "Decrypts every var that is deployed to this machine into a new generation /run/vmcred.d/N, in memory\n"
    "that is never swapped, with its mode and owner; then moves the link /run/vmcred/vars in one step and\n"
    "wipes the generation before. A var that cannot be read is named and left out: the others go on, the\n"
    "exit code is 1. Prints what changed and which units use it (restart-units of the vars, and the vms).\n\n"
    "Running vms that use something that changed and whose guests have an agent get the new values at once, as by\n"
    "'vmcred vm refresh'; where a guest does not bear them it keeps the old ones, which is said, and the exit code is 1.\n"
    "Of two activations at once the second waits with that until the first is done. Vms without an agent are among the units\n"
    "to restart; no other vm is touched.\n\n"
    "Where /etc/vmcred/trusted-signers exists, the project must carry a manifest that somebody in it signed for this\n"
    "machine ('vmcred deploy' makes one), with exactly the files that it names and no older than the last one.",
    kParameters,
    run,
};

}  // namespace vmcred::app
