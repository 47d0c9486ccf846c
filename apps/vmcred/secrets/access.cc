#include "secrets/access.h"

#include <algorithm>

#include "base/spelling.h"
#include "secrets/widen.h"
#include "store/address.h"
#include "store/named_reader.h"
#include "store/vault.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "vars/run_steps.h"

namespace vmcred::app {

Result<Drifting> drifting_secrets(const Project& project) {
  store::Principals principals(project.repository);
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  Drifting drifting;
  for (const store::SecretPlace& place : places) {
    TRY_LET(const store::Drift drift, store::drift(principals, place.folder));
    if (!drift.added.empty() || !drift.removed.empty()) drifting.folders.insert(place.folder);
    for (const store::BadLink& link : drift.bad) drifting.bad.insert(link.path);
  }
  return drifting;
}

namespace {

/// Works out every secret's new readers and ciphertext in memory, so that what cannot be done is known before anything
/// is.
Result<std::vector<store::PreparedAdjustment>> prepare_all(const Project& project, const Drifting& drifting,
                                                           const NewLinks& links, const Allow& allow,
                                                           const World& world) {
  store::Principals principals(project.repository);
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  std::vector<store::Adjustment> wanted;
  std::vector<std::string> files;
  for (const store::SecretPlace& place : places) {
    TRY_LET(const store::Acl acl, principals.acl(place.folder));
    TRY_LET(store::Adjustment change,
            store::adjustment(project.repository, principals, place, links ? links(place, acl.links) : std::nullopt));
    std::erase_if(change.bad, [&](const store::BadLink& link) { return drifting.bad.contains(link.path); });
    if (!change.needed()) continue;
    if (drifting.folders.contains(place.folder)) {
      note(world, fmt::format("left alone: {}, whose readers were not those of its links before ('vmcred vars fix' "
                              "shows who would gain or lose it)",
                              place.name()));
      continue;
    }
    files.push_back(place.folder + "/secret");
    wanted.push_back(std::move(change));
  }
  if (allow) TRY(allow(principals, wanted));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  store::unlock(project.repository, files, keys);
  std::vector<store::PreparedAdjustment> changes;
  for (const store::Adjustment& change : wanted) {
    TRY_LET(store::PreparedAdjustment prepared, prepare(project.repository, principals, keys, change, *world.clock));
    changes.push_back(std::move(prepared));
  }
  return changes;
}

}  // namespace

Result<Touched> bring_in_line(const Project& project, const store::Lock& lock, const Drifting& drifting,
                              const NewLinks& links, const Allow& allow, const World& world, const Undo& undo) {
  Result<std::vector<store::PreparedAdjustment>> prepared = prepare_all(project, drifting, links, allow, world);
  if (!prepared) {
    if (undo) TRY(in("take the change back", undo()));
    return std::unexpected(std::move(prepared).error());
  }
  Touched touched;
  TRY(carry_out(project.repository, lock, *prepared));
  for (const store::PreparedAdjustment& change : *prepared) {
    touched.folders.push_back(change.place.folder);
    if (change.lost) touched.lost.push_back(change.place);
  }
  if (!prepared->empty())
    note(world, fmt::format("changed the readers of {} secret{}", prepared->size(), prepared->size() == 1 ? "" : "s"));
  return touched;
}

Allow by_the_rule(const Given& given, const World& world) {
  return [&](store::Principals& principals, std::span<const store::Adjustment> changes) {
    return may_widen(principals, changes, given, world);
  };
}

Result<store::SecretPlace> chosen_secret(const std::string& word, const Project& project) {
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  const std::size_t colon = word.find(':');
  const std::string owner = colon == std::string::npos ? std::string() : word.substr(0, colon);
  const std::string name = colon == std::string::npos ? word : word.substr(colon + 1);
  std::vector<store::SecretPlace> fitting;
  std::vector<std::string> known;
  for (const store::SecretPlace& place : places) {
    const auto& [place_owner, own] = store::typed_name(place);
    known.push_back(own);
    if (own != name || (!owner.empty() && place_owner != owner)) continue;
    fitting.push_back(place);
  }
  if (fitting.empty()) return hint(fail(Errc::not_found, "there is no secret '{}'", word), near_or_known(name, known));
  if (fitting.size() > 1)
    return hint(fail(Errc::usage, "'{}' has several owners", word),
                fmt::format("write '{}:{}'", store::typed_name(fitting.front()).first, name));
  return fitting.front();
}

namespace {

/// The machines whose private key is among these secrets.
std::vector<std::string> lost_machine_keys(const std::vector<store::SecretPlace>& lost) {
  std::vector<std::string> machines;
  for (const store::SecretPlace& place : lost)
    if (std::string machine = store::machine_of_key_folder(place.folder); !machine.empty())
      machines.push_back(std::move(machine));
  return machines;
}

/// What was lost, without the machines' keys and with what can be read with them.
Result<std::vector<store::SecretPlace>> with_what_machines_read(const Project& project,
                                                                const std::vector<store::SecretPlace>& lost,
                                                                const std::vector<std::string>& machines) {
  std::set<std::string> folders;
  for (const store::SecretPlace& place : lost) folders.insert(place.folder);
  store::Principals principals(project.repository);
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  std::vector<store::SecretPlace> all;
  for (const store::SecretPlace& place : places) {
    TRY_LET(const store::Acl acl, principals.acl(place.folder));
    const bool by_machine = std::ranges::any_of(machines, [&](const std::string& machine) {
      return place.folder != store::machine_key_folder(machine) &&
             store::reads(principals, acl.links, store::Kind::machine, machine);
    });
    const bool key = std::ranges::any_of(
        machines, [&](const std::string& m) { return place.folder == store::machine_key_folder(m); });
    if (by_machine || (folders.contains(place.folder) && !key)) all.push_back(place);
  }
  return all;
}

/// Where nobody can be asked: takes the steps that ask out, with what is made from them, and says so.
void leave_what_asks(const generate::Graph& graph, std::vector<generate::Step>& steps, const World& world) {
  std::set<std::size_t> left;
  std::vector<std::string> generators;
  std::erase_if(steps, [&](const generate::Step& step) {
    const generate::Task& task = graph.tasks[step.task];
    const bool waits =
        std::ranges::any_of(task.dependencies, [&](std::size_t needed) { return left.contains(needed); });
    if (task.generator->prompts.empty() && !waits) return false;
    left.insert(step.task);
    note(world, fmt::format("not rotated, there is no terminal to ask: {}", store::spoken(task.id)));
    if (std::ranges::find(generators, task.id.generator) == generators.end()) generators.push_back(task.id.generator);
    return true;
  });
  std::string options;
  for (const std::string& name : generators) options += " -g " + name;
  if (!options.empty())
    note(world, fmt::format("on a terminal, or with --answers FILE: 'vmcred vars rotate{}'", options));
}

}  // namespace

void warn_before_removal(const std::vector<std::string>& users, std::size_t keys, const World& world) {
  if (users.size() != 1 || keys != 1) return;
  note(world, fmt::format("warning: user '{}' is the only person who can read the secrets of this project; if that key "
                          "is lost, so is what\n"
                          "no machine reads: add a second user or key, or keep a copy of the key in a safe place",
                          users.front()));
}

void warn_of_only_user(const Project& project, const World& world) {
  store::Principals principals(project.repository);
  if (const std::string user = store::only_user(principals); !user.empty()) warn_before_removal({user}, 1, world);
}

Result<> renew_machine_key(const Project& project, const store::Lock& lock, const std::string& machine,
                           const World& world) {
  TRY_LET(const Drifting drifting, drifting_secrets(project));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  TRY(store::begin_machine_key(project.repository, lock, machine, keys));
  TRY_LET(const Touched touched, bring_in_line(project, lock, drifting, {}, {}, world, {}));
  TRY(store::finish_machine_key(project.repository, lock, machine, keys));
  std::vector<std::string> changed = touched.folders;
  changed.insert(changed.end(), {store::machine_key_folder(machine), "sops/machines/" + machine});
  note(world, fmt::format("made a new key for machine '{0}': it reads nothing new until 'vmcred deploy {0}'", machine));
  return hand_to_git(project, changed, fmt::format("secrets: new key for machine {}", machine), false, world);
}

Result<> after_loss(const Project& project, const store::Lock& lock, const Touched& touched, bool rotate,
                    const World& world) {
  if (touched.lost.empty()) return {};
  const std::vector<std::string> machines = lost_machine_keys(touched.lost);
  TRY_LET(const std::vector<store::SecretPlace> lost, with_what_machines_read(project, touched.lost, machines));
  for (const store::SecretPlace& place : lost) answer_also(world, "lost", store::address_of(place));
  if (!rotate) {
    note(world, "could be read until now, and should be rotated (--rotate does it):");
    for (const store::SecretPlace& place : lost) note(world, "  " + place.name());
    for (const std::string& machine : machines)
      note(world, fmt::format("  the private key of machine '{}', and with it all that the machine can read", machine));
    return {};
  }
  for (const std::string& machine : machines) TRY(renew_machine_key(project, lock, machine, world));
  TRY_LET(const Overview overview, look_over(project, world));
  std::set<std::size_t> tasks;
  for (const store::SecretPlace& place : lost) {
    if (!place.var) continue;
    const auto task = overview.graph.index.find(place.var->generator);
    if (task != overview.graph.index.end()) tasks.insert(task->second);
  }
  for (const store::SecretPlace& place : lost)
    if (!place.var || !overview.graph.index.contains(place.var->generator))
      note(world, fmt::format("{} is made by no generator: change it by hand", place.name()));
  TRY_LET(std::vector<generate::Step> steps,
          rotation_plan(overview.graph, overview.statuses, {tasks.begin(), tasks.end()}));
  if (!asker(world)) leave_what_asks(overview.graph, steps, world);
  if (steps.empty()) return {};
  return carry_out(project, overview, steps, lock, {.reuse_answers = false}, world);
}

}  // namespace vmcred::app
