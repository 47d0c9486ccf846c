// vmcred vars fix: brings readers and access links in line with the declaration, after showing what that means.
#include <algorithm>
#include <iterator>
#include <set>

#include "secrets/widen.h"
#include "store/address.h"
#include "store/inferred.h"
#include "store/readers.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "vars/commands.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"[MACHINE...]", "only what concerns these machines (default: everything)"},
    {"-g,--generator NAME...", "only this generator"},
    {"--dry-run", "show what would change, and change nothing"},
    {"-y,--yes", "do not ask; whoever would newly read something takes --widen"},
    kWiden,
    {"--commit", "commit the change in git"},
};

/// A secret, and the links that it should have; none: those that it has.
struct Target {
  store::SecretPlace place;
  std::optional<store::Links> links = {};
};

/// A shared value has readers whom the configuration of one host does not know: each file's own links do.
void keep_other_hosts(const Project& project, const store::Wanted& value, const store::Links& present,
                      store::Links& links) {
  if (project.host.empty() || value.id.generator.placement.sharing != declare::Sharing::shared) return;
  for (const std::string& machine : present.machines)
    if (machine != project.host) links.add(store::Kind::machine, machine);
}

/// What is looked at. Declared values get the links of their declaration; everything else that is stored keeps its
/// links, and is encrypted to those whom they name. A guess is no declaration: nobody's links change by it.
Result<std::vector<Target>> targets(const Given& given, const Project& project, store::Principals& principals,
                                    const World& world) {
  TRY_LET(const generate::Graph graph, generate::build_graph(project.declaration));
  TRY_LET(const std::vector<std::string> machines, declared_machines(given, world, project.declaration));
  TRY_LET(const std::vector<std::string> only, declared_generators(given, project.declaration));
  std::vector<Target> all;
  std::set<std::string> declared;
  for (const store::Wanted& value : store::wanted(project.declaration)) {
    store::SecretPlace place{.folder = store::Repository::generator_path(value.id.generator) + "/" + value.id.file,
                             .var = value.id};
    declared.insert(place.folder);
    const generate::Task& task = graph.tasks[graph.index.at(value.id.generator)];
    if (!generate::concerns(task, project.declaration, machines)) continue;
    if (!only.empty() && std::ranges::find(only, task.id.generator) == only.end()) continue;
    if (project.repository.form(value.id) != store::Form::secret) continue;
    Target target{.place = std::move(place)};
    if (!store::is_inferred(project.declaration)) {
      TRY_LET(const store::Acl acl, principals.acl(target.place.folder));
      target.links = store::fixed_links(project.declaration, value, acl.links);
      keep_other_hosts(project, value, acl.links, *target.links);
    }
    all.push_back(std::move(target));
  }
  if (!machines.empty() || !only.empty()) return all;
  TRY_LET(std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  for (store::SecretPlace& place : places)
    if (!declared.contains(place.folder)) all.push_back({.place = std::move(place)});
  return all;
}

Result<std::vector<store::Adjustment>> needed(const Project& project, store::Principals& principals,
                                              std::vector<Target> targets) {
  std::vector<store::Adjustment> changes;
  for (Target& target : targets) {
    TRY_LET(store::Adjustment change, store::adjustment(project.repository, principals, target.place, target.links));
    if (change.needed()) changes.push_back(std::move(change));
  }
  return changes;
}

/// The same as data.
Json change_json(store::Principals& principals, const store::Adjustment& change) {
  const auto owners = [&](const std::vector<store::PublicKey>& keys) {
    std::vector<std::string> names;
    for (const store::PublicKey& key : keys) names.push_back(owner_of(principals, key));
    return Json::strings(names);
  };
  Json bad = Json::array();
  for (const store::BadLink& link : change.bad)
    bad.push(Json::object().set("path", link.path).set("reason", link.reason));
  return Json::object()
      .set("secret", store::address_of(change.place))
      .set("added", owners(change.added))
      .set("removed", owners(change.removed))
      .set("bad_links", std::move(bad));
}

void show(store::Principals& principals, const std::vector<store::Adjustment>& changes, const World& world) {
  for (const store::Adjustment& change : changes) answer_also(world, "secrets", change_json(principals, change));
  if (world.json) return;
  for (const store::Adjustment& change : changes) {
    print(world, change.place.name() + "\n");
    for (const store::PublicKey& key : change.added)
      print(world, fmt::format("  + {} will be able to read it\n", owner_of(principals, key)));
    for (const store::PublicKey& key : change.removed)
      print(world, fmt::format("  - {} will not be able to read it any more\n", owner_of(principals, key)));
    for (const store::BadLink& link : change.bad) print(world, fmt::format("  - {} {}\n", link.path, link.reason));
    if (change.relink && change.added.empty() && change.removed.empty()) print(world, "  its links change\n");
  }
}

/// One question for all of it. New readers take more than --yes where nobody can be asked.
Result<> agreed(const Given& given, store::Principals& principals, const std::vector<store::Adjustment>& changes,
                const World& world) {
  const bool grants =
      std::ranges::any_of(changes, [](const store::Adjustment& change) { return !change.added.empty(); });
  if (grants) return may_widen(principals, changes, given, world);
  if (given.has("yes") || given.has("widen")) return {};
  TRY_LET(const bool yes, confirm(world, "make these changes?"));
  if (!yes) return fail(Errc::denied, "nothing was changed");
  return {};
}

Result<Exit> nothing_to_fix(const Project& project, const World& world) {
  if (store::is_inferred(project.declaration))
    return hint(
        fail(Errc::unavailable,
             "there is nothing to fix by the links alone, and who should read what is not known without a declaration"),
        "evaluate clan's with --flake REF#HOST; 'vmcred secrets who' shows who can read a secret");
  note(world, "nothing to fix: every secret is encrypted to those who its links name");
  return Exit::done;
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  TRY_LET(std::vector<Target> looked_at, targets(given, project, principals, world));
  TRY_LET(const std::vector<store::Adjustment> changes, needed(project, principals, std::move(looked_at)));
  if (changes.empty()) return nothing_to_fix(project, world);
  show(principals, changes, world);
  if (given.has("dry-run")) return Exit::findings;
  TRY(agreed(given, principals, changes, world));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  std::vector<std::string> changed;
  std::vector<std::string> due;
  std::vector<std::string> files;
  for (const store::Adjustment& change : changes) files.push_back(change.place.folder + "/secret");
  store::unlock(project.repository, files, keys);
  std::vector<store::PreparedAdjustment> prepared;
  for (const store::Adjustment& change : changes) {
    TRY_LET(store::PreparedAdjustment one, prepare(project.repository, principals, keys, change, *world.clock));
    prepared.push_back(std::move(one));
  }
  TRY(carry_out(project.repository, lock, prepared));
  for (const store::Adjustment& change : changes) {
    changed.push_back(change.place.folder);
    if (!change.removed.empty()) due.push_back(change.place.name());
  }
  note(world, fmt::format("changed the readers of {} secret{}", changes.size(), changes.size() == 1 ? "" : "s"));
  if (!due.empty())
    note(world, fmt::format("those who lost access may have read {}: rotate what matters", enumeration(due)));
  TRY(hand_to_git(project, changed, "secrets: fix vars", given.has("commit"), world));
  return Exit::done;
}

}  // namespace

constinit const Command kVarsFix = {
    "vars fix",
    "make the readers of secrets those of their access links",
    "Shows, secret by secret, who would be added and who removed, and asks. Machines are readers exactly where a\n"
    "value is deployed to them, default groups are added, users and groups that somebody linked stay. Links that\n"
    "lead elsewhere are removed. Where nobody is removed, values are not encrypted anew. Secrets that are no vars\n"
    "(machines' keys, clan's exports) are encrypted to those whom their links name.\n"
    "Whoever would newly read something is listed, and asked for on a terminal even with --yes; elsewhere it takes\n"
    "--widen. Without a declaration nobody's links change: what a tree holds does not say who should read it.\n"
    "With --dry-run the exit code is 3 when there is something to fix.",
    kParameters,
    run,
};

}  // namespace vmcred::app
