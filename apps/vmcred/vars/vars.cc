#include "vars/vars.h"

#include <algorithm>

#include "base/spelling.h"
#include "project/project.h"
#include "signatures/trust.h"
#include "store/git.h"
#include "store/inferred.h"
#include "terminal/answer.h"

namespace vmcred::app {

namespace {

Result<Project> opened(Loaded loaded, const World& world) {
  Project project;
  project.declaration = std::move(loaded.declaration);
  project.host = std::move(loaded.host);
  TRY_LET(project.repository, open_store(project.declaration.folder, world));
  return project;
}

}  // namespace

Result<Project> open_project(const World& world) {
  Loaded loaded;
  TRY_LET(loaded.declaration, load_project(world));
  loaded.host = host_of(world, loaded.declaration);
  return opened(std::move(loaded), world);
}

Result<Project> open_project_with_scripts(const World& world, const std::vector<std::string>& machines) {
  TRY_LET(Loaded loaded, load_with_scripts(world, machines));
  return opened(std::move(loaded), world);
}

std::vector<std::string> named_machines(const Given& given, const World& world) {
  std::vector<std::string> machines = given.all("MACHINE");
  if (machines.empty() && !world.machine.empty()) machines.push_back(world.machine);
  return machines;
}

namespace {
template <class Map>
Result<> check_declared(const std::vector<std::string>& names, const Map& declared, std::string_view kind) {
  for (const std::string& name : names) {
    if (declared.contains(name)) continue;
    std::vector<std::string> known;
    for (const auto& [other, value] : declared) known.push_back(other);
    return hint(fail(Errc::not_found, "no {} '{}' is declared", kind, name), near_or_known(name, known));
  }
  return {};
}
}  // namespace

Result<std::vector<std::string>> declared_machines(const Given& given, const World& world,
                                                   const declare::Declaration& declaration) {
  std::vector<std::string> machines = named_machines(given, world);
  TRY(check_declared(machines, declaration.machines, "machine"));
  return machines;
}

Result<std::vector<std::string>> declared_generators(const Given& given, const declare::Declaration& declaration) {
  std::vector<std::string> generators = given.all("generator");
  TRY(check_declared(generators, declaration.generators, "generator"));
  return generators;
}

Failure no_machine(const std::string& machine, const declare::Declaration& declaration) {
  std::vector<std::string> known;
  for (const auto& [name, declared] : declaration.machines) known.push_back(name);
  return hint(fail(Errc::not_found, "no machine '{}' is declared in '{}'", machine, declaration.file),
              known.empty() ? "declare it: [machines." + machine + "]" : near_or_known(machine, known));
}

namespace {
/// The machines that have a value of their own; none where it is shared, or of vms.
std::vector<std::string> machines_with(const declare::Declaration& declaration, const declare::VarRef& ref) {
  std::vector<std::string> machines;
  for (const auto& [key, generator] : declaration.generators) {
    if (generator.name != ref.generator) continue;
    if (generator.sharing != declare::Sharing::per_machine) return {};
    if (store::is_inferred(declaration) && !generator.files.contains(ref.file)) continue;
    machines.insert(machines.end(), generator.machines.begin(), generator.machines.end());
  }
  return machines;
}
}  // namespace

Result<store::VarId> chosen_var(const std::vector<std::string>& words, const std::string& vm, const World& world,
                                const declare::Declaration& declaration) {
  const std::string& id = words.back();
  const std::size_t slash = id.find('/');
  if (words.size() > 2 || slash == std::string::npos || id.find('/', slash + 1) != std::string::npos)
    return hint(fail(Errc::usage, "'{}' is no var", id), "a var is written GENERATOR/FILE, a machine comes before it");
  const declare::VarRef ref{.generator = id.substr(0, slash), .file = id.substr(slash + 1)};
  std::string machine = words.size() == 2 ? words.front() : world.machine;
  if (!machine.empty() && !declaration.machines.contains(machine)) return no_machine(machine, declaration);
  const auto generator = declaration.generators.find(ref.generator);
  const std::vector<std::string> owners = machines_with(declaration, ref);
  if (machine.empty() && !owners.empty()) {
    if (owners.size() != 1)
      return hint(fail(Errc::usage, "'{}' has a value for each of several machines", id),
                  fmt::format("name one: {}", enumeration(owners)));
    machine = owners.front();
  }
  std::string owner = vm;
  if (owner.empty() && generator != declaration.generators.end() && generator->second.vms.size() == 1)
    owner = generator->second.vms.front();
  return store::resolve(declaration, ref, machine, owner);
}

Result<Overview> look_over(const Project& project, const World& world) {
  Overview overview;
  TRY_LET(overview.graph, generate::build_graph(project.declaration));
  overview.statuses = generate::survey(overview.graph, project.repository, *world.clock);
  return overview;
}

Result<store::Lock> lock_store(const Project& project, const World& world) {
  // A change that could not be signed in the end is not begun.
  if (project.repository.proof() != nullptr) TRY(project.repository.proof()->may_change());
  Result<store::Lock> lock = store::Lock::take(project.repository, Wait::no);
  if (lock || lock.error().code != Errc::unavailable) return lock;
  note(world, "waiting for another process that changes this project");
  return store::Lock::take(project.repository, Wait::yes);
}

Result<> hand_to_git(const Project& project, const std::vector<std::string>& paths, const std::string& subject,
                     bool commit, const World& world) {
  for (const std::string& path : paths) answer_also(world, "changed", path);
  TRY_LET(const bool staged, store::stage(project.declaration.folder, paths, world.environment));
  if (!staged || (!commit && !project.declaration.git.commit)) return {};
  TRY_LET(const bool committed, store::commit(project.declaration.folder, paths, subject, world.environment));
  if (committed) {
    note(world, fmt::format("committed: {}", subject));
    answer_with(world, "committed", subject);
  }
  return {};
}

std::string enumeration(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

}  // namespace vmcred::app
