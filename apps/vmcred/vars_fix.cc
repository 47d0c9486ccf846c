// vmcred vars fix: brings readers and access links in line with the declaration, after showing what that means.
#include <algorithm>

#include "ask.h"
#include "commands.h"
#include "store/readers.h"
#include "vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"[MACHINE...]", "only what concerns these machines (default: everything)"},
    {"-g,--generator NAME...", "only this generator"},
    {"--dry-run", "show what would change, and change nothing"},
    {"-y,--yes", "do not ask"},
    {"--commit", "commit the change in git"},
};

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  TRY_LET(const generate::Graph graph, generate::build_graph(project.declaration));
  TRY_LET(const std::vector<std::string> machines, declared_machines(given, world, project.declaration));
  TRY_LET(const std::vector<std::string> only, declared_generators(given, project.declaration));
  store::Principals principals(project.repository);
  std::vector<store::Adjustment> changes;
  for (const store::Wanted& value : store::wanted(project.declaration)) {
    const generate::Task& task = graph.tasks[graph.index.at(value.id.generator)];
    if (!generate::concerns(task, project.declaration, machines)) continue;
    if (!only.empty() && std::ranges::find(only, task.id.generator) == only.end()) continue;
    if (project.repository.form(value.id) != store::Form::secret) continue;
    const store::SecretPlace place{
        .folder = store::Repository::generator_path(value.id.generator) + "/" + value.id.file, .var = value.id};
    TRY_LET(const store::Acl acl, principals.acl(place.folder));
    TRY_LET(store::Adjustment change,
            store::adjustment(project.repository, principals, place,
                              store::fixed_links(project.declaration, value, acl.links)));
    if (change.needed()) changes.push_back(std::move(change));
  }
  if (changes.empty()) {
    note(world, "nothing to fix: every secret is encrypted to those who its links name");
    return Exit::done;
  }
  bool grants = false;
  for (const store::Adjustment& change : changes) {
    print(world, change.place.name() + "\n");
    for (const store::PublicKey& key : change.added)
      print(world, fmt::format("  + {} will be able to read it\n", owner_of(principals, key)));
    for (const store::PublicKey& key : change.removed)
      print(world, fmt::format("  - {} will not be able to read it any more\n", owner_of(principals, key)));
    for (const store::BadLink& link : change.bad) print(world, fmt::format("  - {} {}\n", link.path, link.reason));
    if (change.relink && change.added.empty() && change.removed.empty()) print(world, "  its links change\n");
    grants = grants || !change.added.empty();
  }
  if (given.has("dry-run")) return Exit::findings;
  if (!given.has("yes")) {
    const std::string question = grants ? "give these readers access, and make the other changes?" : "make these changes?";
    TRY_LET(const bool yes, confirm(world, question));
    if (!yes) return fail(Errc::denied, "nothing was changed");
  }
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
    "lead elsewhere are removed. Where nobody is removed, values are not encrypted anew.\n"
    "With --dry-run the exit code is 3 when there is something to fix.",
    kParameters,
    run,
};

}  // namespace vmcred::app
