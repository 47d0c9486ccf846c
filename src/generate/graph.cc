#include "generate/graph.h"

#include <algorithm>

#include "base/spelling.h"
#include "declare/dependencies.h"

namespace vmcred::generate {
namespace {

using declare::Sharing;
using store::GeneratorId;
using store::Placement;

bool holds(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

/// The one placement of `dependency` that a task means.
Result<GeneratorId> meant(const declare::Declaration& declaration, const GeneratorId& task,
                          const declare::Generator& dependency) {
  GeneratorId id{.generator = dependency.name};
  if (dependency.sharing == Sharing::shared) return id;
  const auto refuse = [&](std::string_view why) {
    return fail(Errc::usage, "{} depends on '{}', which {}", store::spoken(task), dependency.name, why);
  };
  if (task.placement.sharing == Sharing::shared) return refuse("has another value for each owner: it cannot be shared");
  if (dependency.sharing == Sharing::per_vm) {
    if (task.placement.sharing != Sharing::per_vm || !holds(dependency.vms, task.placement.owner))
      return refuse("has values for vms only");
    id.placement = task.placement;
    return id;
  }
  std::string machine = task.placement.owner;
  if (task.placement.sharing == Sharing::per_vm) {
    const auto vm = declaration.vms.find(machine);
    machine = vm == declaration.vms.end() ? std::string() : vm->second.machine;
  }
  if (!holds(dependency.machines, machine)) return refuse(fmt::format("is not declared for machine '{}'", machine));
  id.placement = {.sharing = Sharing::per_machine, .owner = machine};
  return id;
}

/// A circle among the tasks that could not be ordered, as "a -> b -> a".
std::string drawn_circle(const std::map<GeneratorId, std::vector<GeneratorId>>& needs,
                         const std::map<GeneratorId, std::size_t>& ordered) {
  std::vector<GeneratorId> path;
  for (const auto& [id, list] : needs) {
    if (ordered.contains(id)) continue;
    path.push_back(id);
    break;
  }
  while (true) {
    const auto& list = needs.at(path.back());
    const auto next = std::ranges::find_if(list, [&](const GeneratorId& id) { return !ordered.contains(id); });
    const auto seen = std::ranges::find(path, *next);
    if (seen != path.end()) {
      std::string text;
      for (auto step = seen; step != path.end(); ++step) text += step->generator + " -> ";
      return text + next->generator;
    }
    path.push_back(*next);
  }
}

}  // namespace

Result<Graph> build_graph(const declare::Declaration& declaration) {
  std::map<GeneratorId, std::vector<GeneratorId>> needs;
  std::map<GeneratorId, const declare::Generator*> declared;
  for (const auto& [name, generator] : declaration.generators)
    for (const Placement& placement : store::placements(generator)) {
      const GeneratorId id{.placement = placement, .generator = generator.name.empty() ? name : generator.name};
      declared.emplace(id, &generator);
      std::vector<GeneratorId>& list = needs[id];
      for (const std::string& dependency : generator.dependencies) {
        const auto found = declaration.generators.find(dependency);
        if (found == declaration.generators.end()) {
          std::vector<std::string> names;
          for (const auto& [known, ignored] : declaration.generators) names.push_back(known);
          return hint(fail(Errc::not_found, "generator '{}' depends on '{}', which is not declared: {}", name,
                           dependency, declare::drawn_need(declaration, name, dependency)),
                      did_you_mean(dependency, names));
        }
        TRY_LET(GeneratorId one, meant(declaration, id, found->second));
        list.push_back(std::move(one));
      }
    }
  // By owner, shared ones (no owner) first, then by name, as people and clan expect it.
  std::vector<GeneratorId> waiting;
  for (const auto& [id, list] : needs) waiting.push_back(id);
  std::ranges::sort(waiting, {}, [](const GeneratorId& id) {
    return std::tuple(id.placement.owner, id.placement.sharing, id.generator);
  });
  // Kahn's order; the next is always the first in that list whose needs are met.
  std::map<GeneratorId, std::vector<GeneratorId>> wanted_by;
  std::map<GeneratorId, std::size_t> open;
  for (const auto& [id, list] : needs) {
    open[id] = list.size();
    for (const GeneratorId& need : list) wanted_by[need].push_back(id);
  }
  std::map<GeneratorId, std::size_t> rank;
  for (std::size_t i = 0; i < waiting.size(); ++i) rank[waiting[i]] = i;
  std::map<std::size_t, GeneratorId> ready;
  for (const GeneratorId& id : waiting)
    if (open[id] == 0) ready.emplace(rank[id], id);
  Graph graph;
  while (!ready.empty()) {
    const GeneratorId id = ready.begin()->second;
    ready.erase(ready.begin());
    Task task{.id = id, .generator = declared.at(id)};
    for (const GeneratorId& need : needs.at(id)) {
      task.dependencies.push_back(graph.index.at(need));
      graph.tasks[graph.index.at(need)].dependents.push_back(graph.tasks.size());
    }
    graph.index.emplace(id, graph.tasks.size());
    graph.tasks.push_back(std::move(task));
    for (const GeneratorId& next : wanted_by[id])
      if (--open[next] == 0) ready.emplace(rank[next], next);
  }
  if (graph.tasks.size() != needs.size())
    return hint(fail(Errc::usage, "generators depend on each other in a circle: {}", drawn_circle(needs, graph.index)),
                "take one of these dependencies away");
  return graph;
}

bool concerns(const Task& task, const declare::Declaration& declaration, const std::vector<std::string>& machines) {
  if (machines.empty()) return true;
  switch (task.id.placement.sharing) {
    case Sharing::per_machine:
      return holds(machines, task.id.placement.owner);
    case Sharing::per_vm: {
      const auto vm = declaration.vms.find(task.id.placement.owner);
      if (vm != declaration.vms.end()) return holds(machines, vm->second.machine);
      break;  // inferred: its readers are all that is known
    }
    case Sharing::shared:
      break;
  }
  return std::ranges::any_of(task.generator->machines, [&](const std::string& name) { return holds(machines, name); });
}

}  // namespace vmcred::generate
