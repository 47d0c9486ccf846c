// vmcred activate: decrypt what this machine may read below /run.
#include "activate/activate.h"

#include <algorithm>
#include <set>

#include "base/file.h"
#include "base/process.h"
#include "host/commands.h"
#include "project/project.h"
#include "signatures/trust.h"
#include "terminal/answer.h"
#include "unit/host.h"
#include "vm/project_for_vm.h"
#include "vm/running.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"--restart", "restart the running units that use what changed"},
    {"--early", "only what is needed for users, below /run/vmcred/vars-for-users, before there are any"},
    {"--no-refresh", "leave running vms with the values that they have"},
    {"--mount", "only make the memory that the vars are to lie in (the unit does, before it gives up the right to)"},
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

/// Names the vms whose guests did not take their values, until a later activation brings them.
std::string waiting_file(const activate::Places& places) {
  return join_path(places.link.substr(0, places.link.rfind('/')), "not-refreshed");
}

std::set<std::string> waiting_vms(const activate::Places& places, const declare::Declaration& declaration) {
  constexpr std::size_t kMaxNames = 1024 * 1024;
  std::set<std::string> names;
  const auto text = read_file(waiting_file(places), kMaxNames);
  for (std::string_view rest = text ? std::string_view(*text) : std::string_view(); !rest.empty();) {
    const std::string name(rest.substr(0, rest.find('\n')));
    rest.remove_prefix(std::min(name.size() + 1, rest.size()));
    if (const auto vm = declaration.vms.find(name); vm != declaration.vms.end() && vm->second.guest.agent)
      names.insert(name);
  }
  return names;
}

Result<> note_waiting(const activate::Places& places, const std::set<std::string>& names) {
  const std::string path = waiting_file(places);
  if (names.empty()) return exists(path) ? remove_tree(path) : Result<>();
  std::string text;
  for (const std::string& name : names) text += name + "\n";
  return write_file(path, text, 0600);
}

/// A running vm with an agent gets its new values at once; without one it has to start again. One that does not run has
/// nothing old.
Result<Consequences> refresh_users(const declare::Declaration& declaration, const activate::Report& report,
                                   const activate::Places& places, bool refresh, const World& world) {
  Consequences all = {.restarts = report.units};
  const auto restart = [&](const std::string& vm) { all.restarts.push_back(unit::unit_name_of(vm)); };
  std::vector<const declare::Vm*> with_agent;
  // Who failed to take them the last time is tried again, although nothing changed since.
  std::set<std::string> users(report.vms.begin(), report.vms.end());
  if (refresh) users.merge(waiting_vms(places, declaration));
  for (const std::string& name : users) {
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
  std::set<std::string> waiting;
  for (Refresh& each : refresh_running(with_agent, values, world)) {
    if (each.end == Refresh::End::no_agent) restart(each.vm);
    if (each.end == Refresh::End::failed) waiting.insert(each.vm);
    if (each.end == Refresh::End::refreshed || each.end == Refresh::End::failed)
      all.refreshes.push_back(std::move(each));
  }
  if (refresh) TRY(note_waiting(places, waiting));
  std::ranges::sort(all.restarts);
  return all;
}

void print_report(const World& world, const std::string& machine, const activate::Report& report,
                  const Consequences& consequences) {
  if (world.json) {
    Json changes = Json::array();
    for (const auto& change : report.published.changes) {
      changes.push(Json::object().set("path", change.path).set("change", change_name(change.kind)));
    }
    Json failed = Json::array();
    for (const auto& one : report.published.failed) {
      failed.push(Json::object().set("path", one.path).set("error", one.error.message));
    }
    Json kept = Json::array();
    for (const auto& one : report.published.kept) {
      kept.push(Json::object().set("path", one.path).set("since", rfc3339(one.since)));
    }
    Json refreshed = Json::array();
    for (const Refresh& each : consequences.refreshes) refreshed.push(refresh_json(each));
    answer_with(world, Json::object()
                           .set("machine", machine)
                           .set("generation", static_cast<std::int64_t>(report.published.number))
                           .set("switched", report.published.switched)
                           .set("files", report.published.files)
                           .set("changes", std::move(changes))
                           .set("failed", std::move(failed))
                           .set("kept", std::move(kept))
                           .set("refreshed", std::move(refreshed))
                           .set("restart", Json::strings(consequences.restarts)));
    return;
  }
  const activate::Published& published = report.published;
  if (published.number == 0) {
    note(world, fmt::format("nothing of machine '{}' can be read: no generation is active", machine));
  } else {
    note(world,
         fmt::format("generation {} of machine '{}' is {}: {} files{}", published.number, machine,
                     published.switched         ? "active"
                     : published.failed.empty() ? "up to date"
                                                : "still active",
                     published.files,
                     published.kept.empty() ? "" : fmt::format(", {} of them as they were", published.kept.size())));
  }
  for (const auto& change : report.published.changes) {
    if (!report.published.first) print(world, fmt::format("{}: {}\n", change.path, change_name(change.kind)));
  }
  for (const Refresh& each : consequences.refreshes) {
    if (each.end == Refresh::End::refreshed)
      print(world, fmt::format("refreshed: vm '{}'\n{}", each.vm, refresh_lines(each, world)));
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
  return fail(Errc::unavailable, "restart the units that use what changed: {}",
              output.err.substr(0, output.err.find('\n')));
}

/// "3 days", "5 hours", "less than an hour".
std::string spoken_age(std::chrono::system_clock::duration age) {
  const auto hours = std::chrono::duration_cast<std::chrono::hours>(age).count();
  const auto count = [](std::int64_t n, std::string_view unit) {
    return fmt::format("{} {}{}", n, unit, n == 1 ? "" : "s");
  };
  if (hours < 1) return "less than an hour";
  return hours < 48 ? count(hours, "hour") : count(hours / 24, "day");
}

/// All that went wrong, in the order in which one thing follows from the other; each remedy once.
void name_troubles(const activate::Published& published, const std::vector<Refresh>& refreshes, const World& world) {
  World loud = world;
  loud.quiet = false;
  std::vector<std::string> hints;
  for (const auto& one : published.failed) {
    note(loud, fmt::format("vmcred: error: {}: {}", one.path, one.error.message));
    if (!one.error.hint.empty() && std::ranges::find(hints, one.error.hint) == hints.end())
      hints.push_back(one.error.hint);
  }
  for (const std::string& hint : hints) note(loud, fmt::format("vmcred: hint: {}", hint));
  for (const auto& one : published.kept) {
    note(loud, fmt::format("kept as it was: {}, here since {} ({})", one.path, rfc3339(one.since),
                           spoken_age(world.clock->now() - one.since)));
  }
  for (const Refresh& each : refreshes) {
    if (each.end != Refresh::End::failed) continue;
    note(loud, fmt::format("vmcred: error: vm '{}' keeps its old credentials: {}", each.vm, each.error));
  }
}

Result<Exit> run(const Given& given, World& world) {
  const std::string prefix = given.at("root-prefix");
  const bool early = given.has("early");
  activate::Places places = early ? activate::early_places() : activate::Places();
  if (!prefix.empty()) {
    places = {.generations = prefix + places.generations, .link = prefix + places.link, .mount = false};
  }
  if (given.has("mount")) {
    TRY(activate::make_places(places));
    return Exit::done;
  }
  // Old plaintext goes even where what follows fails.
  if (!given.has("verify")) TRY(activate::remove_leftovers(places));
  // Before anything else in that folder is looked at: who vouches for it.
  const HostTrust trust = host_trust(prefix);
  TRY_LET(std::optional<store::Proven> proven, prove_on_host(world.project, trust, world));
  if (given.has("verify")) {
    if (proven) {
      answer_with(world, "signer", proven->signer);
      answer_with(world, "counter", static_cast<std::int64_t>(proven->manifest.counter));
    }
    note(world, proven ? fmt::format("signed by {}, counter {}", proven->signer, proven->manifest.counter)
                       : fmt::format("this host demands no signatures: there is no '{}'", trust.signers));
    return Exit::done;
  }
  declare::Declaration declaration;
  if (proven && world.nix.empty() && world.flake.empty()) {
    TRY_LET(declaration, proven_declaration(world.project, *proven));
  } else {
    TRY_LET(declaration, load_project_for_vm(world, ""));
  }
  TRY_LET(const std::string machine, this_machine(declaration, world));
  TRY_LET(store::Repository repository, store::Repository::open(declaration.folder));
  TRY_LET(store::KeyRing keys, store::KeyRing::of_host(world.environment, prefix.empty() ? "/" : prefix));
  if (proven) {
    if (proven->manifest.machine != machine)
      return fail(Errc::mismatch, "the signed manifest is for machine '{}', not '{}'", proven->manifest.machine,
                  machine);
    TRY(store::check_key(proven->manifest, keys));
    TRY(store::write_last_manifest(trust.last, proven->as_last));
    repository.demand(store::proof_by(std::move(proven->manifest)));
  }
  TRY_LET(const activate::Report report,
          in(fmt::format("activate machine '{}'", machine), activate::activate({.declaration = declaration,
                                                                                .repository = repository,
                                                                                .keys = keys,
                                                                                .machine = machine,
                                                                                .places = places,
                                                                                .early = early})));
  TRY_LET(const Consequences consequences,
          early ? Result<Consequences>(Consequences{})
                : refresh_users(declaration, report, places, !given.has("no-refresh"), world));
  print_report(world, machine, report, consequences);
  name_troubles(report.published, consequences.refreshes, world);
  if (given.has("restart")) TRY(restart_units(consequences.restarts));
  const bool good = report.published.failed.empty() &&
                    std::ranges::none_of(consequences.refreshes,
                                         [](const Refresh& each) { return each.end == Refresh::End::failed; });
  return good ? Exit::done : Exit::failed;
}

}  // namespace

constinit const Command kActivate = {
    "activate",
    "decrypt this machine's vars below /run/vmcred (root)",
    "Decrypts every var that is deployed to this machine into a new generation /run/vmcred.d/N, in memory\n"
    "that is never swapped, with its mode and owner; then moves the link /run/vmcred/vars in one step and\n"
    "wipes the generation before. A var that cannot be read is named, and the exit code is 1: of its whole\n"
    "generator the values stay that were active before, as long as this machine is among their readers; the\n"
    "others go on. Prints what changed and which units use it (restart-units of the vars, and the vms).\n\n"
    "Running vms that use something that changed and whose guests have an agent get the new values at once, as by\n"
    "'vmcred vm refresh'; where a guest does not bear them it keeps the old ones, which is said, and the exit code is "
    "1.\n"
    "Of two activations at once the second waits with that until the first is done. Vms without an agent are among the "
    "units\n"
    "to restart; no other vm is touched.\n\n"
    "Vars with needed-for = \"users\" are there before any user is made: vmcred-activate-early.service runs 'activate "
    "--early'\n"
    "before systemd-sysusers and userborn, and puts them below /run/vmcred/vars-for-users, root's and 0400: a\n"
    "user's hashedPasswordFile names them there.\n\n"
    "Where /etc/vmcred/trusted-signers exists, the project must carry a manifest that somebody in it signed for this\n"
    "machine ('vmcred deploy' makes one), with exactly the files that it names and no older than the last one.",
    kParameters,
    run,
};

}  // namespace vmcred::app
