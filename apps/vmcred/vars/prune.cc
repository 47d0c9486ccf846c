// vmcred vars prune: removes what nobody declares any more.
#include <algorithm>

#include "base/file.h"
#include "store/address.h"
#include "store/record.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "vars/commands.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"--dry-run", "say what would be removed, and remove nothing"},
    {"-y,--yes", "do not ask"},
    {"--commit", "commit the change in git"},
};

/// The configuration of one host does not tell what others declare.
bool may_be_declared_elsewhere(const Project& project, const store::Placement& placement) {
  if (project.host.empty()) return false;
  if (placement.sharing == declare::Sharing::per_machine) return placement.owner != project.host;
  const auto machines = list_folder(project.repository.folder() + "/sops/machines");
  return !machines || std::ranges::any_of(*machines, [&](const std::string& name) { return name != project.host; });
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  TRY_LET(const std::vector<store::VarId> stored, project.repository.list());
  std::map<store::GeneratorId, std::vector<std::string>> orphans;
  std::vector<store::VarId> declared;
  for (const store::Wanted& value : store::wanted(project.declaration)) declared.push_back(value.id);
  std::size_t others = 0;
  for (const store::VarId& id : stored) {
    if (std::ranges::binary_search(declared, id)) continue;
    if (may_be_declared_elsewhere(project, id.generator.placement)) {
      ++others;
    } else {
      orphans[id.generator].push_back(id.file);
    }
  }
  if (others > 0) {
    note(world,
         fmt::format("left alone: {} value{} that other machines may declare (this is the configuration of '{}')",
                     others, others == 1 ? "" : "s", project.host));
  }
  if (orphans.empty()) {
    note(world, "nothing to remove: everything that is stored is declared");
    return Exit::done;
  }
  std::size_t count = 0;
  for (const auto& [id, files] : orphans)
    for (const std::string& file : files) {
      const store::VarId var = {.generator = id, .file = file};
      answer_also(world, given.has("dry-run") ? "would_remove" : "removed", store::address_of(var));
      if (!world.json)
        print(world, fmt::format("{} {}\n", given.has("dry-run") ? "would remove" : "removes", store::spoken(var)));
      ++count;
    }
  if (given.has("dry-run")) return Exit::done;
  if (!given.has("yes")) {
    TRY_LET(const bool yes, confirm(world, fmt::format("remove {} value{}?", count, count == 1 ? "" : "s")));
    if (!yes) return fail(Errc::denied, "nothing was removed");
  }
  std::vector<std::string> changed;
  for (const auto& [id, files] : orphans) {
    const std::string folder = store::Repository::generator_path(id);
    store::Change change{.remove = files};
    TRY_LET(const std::vector<std::string> all, project.repository.files(id));
    if (all.size() == files.size()) {
      change.remove.emplace_back(store::kRecordName);
      change.remove.emplace_back(store::kValidationName);
    }
    TRY(publish(project.repository, lock, folder, change));
    changed.push_back(folder);
  }
  TRY(hand_to_git(project, changed, fmt::format("vars: remove {} values that nobody declares", count),
                  given.has("commit"), world));
  return Exit::done;
}

}  // namespace

constinit const Command kVarsPrune = {
    "vars prune",
    "remove stored values that nobody declares any more",
    "Shows what is stored without being declared and removes it after a yes. The values stay in git's history.",
    kParameters,
    run,
};

}  // namespace vmcred::app
