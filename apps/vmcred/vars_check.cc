// vmcred vars check: what is missing, stale, or readable by others than it should be.
#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "base/parallel.h"
#include "commands.h"
#include "store/readers.h"
#include "store/vault.h"
#include "terminal.h"
#include "vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"[MACHINE...]", "only what concerns these machines (default: everything)"},
    {"-g,--generator NAME...", "only this generator"},
};

struct Found {
  std::string state;
  std::string what;
  std::string why;
};

std::string keys_text(const std::vector<store::PublicKey>& keys) {
  std::vector<std::string> texts;
  for (const store::PublicKey& key : keys) texts.push_back(key.text);
  return enumeration(texts);
}

void add_drift(std::vector<Found>& found, const store::VarId& id, const store::Drift& drift) {
  if (!drift.removed.empty())
    found.push_back({"readers", store::spoken(id), "also encrypted to " + keys_text(drift.removed)});
  if (!drift.added.empty())
    found.push_back({"readers", store::spoken(id), "not encrypted to " + keys_text(drift.added)});
  for (const store::BadLink& link : drift.bad) found.push_back({"readers", link.path, link.reason});
}

/// Where signatures are demanded: that somebody trusted signed what is there.
Result<> vouched_for(const Project& project, const store::GeneratorId& id, const generate::Status& status) {
  if (project.repository.proof() == nullptr || status.state == generate::State::missing) return {};
  return project.repository.proof()->check_links(project.repository.root(), store::Repository::generator_path(id));
}

/// What is to be said of one generator for one owner. `wanted`: every value of the declaration, sorted.
std::vector<Found> look_at(const Project& project, const generate::Task& task, const generate::Status& status,
                           const std::vector<store::Wanted>& wanted, store::Principals& principals) {
  std::vector<Found> found;
  if (status.state != generate::State::fresh)
    found.push_back({std::string(generate::word(status.state)), store::spoken(task.id), enumeration(status.reasons)});
  if (const Result<> vouched = vouched_for(project, task.id, status); !vouched) {
    found.push_back({"signature", store::spoken(task.id), vouched.error().message});
    return found;
  }
  if (status.due)
    found.push_back({"due", store::spoken(task.id),
                     fmt::format("older than {} days", task.generator->rotate_after->count())});
  for (const auto& [name, form] : status.stored) {
    if (form != store::Form::secret) continue;
    const Result<store::Drift> drift =
        store::drift(project.repository, principals, store::Repository::generator_path(task.id) + "/" + name);
    const store::VarId id{.generator = task.id, .file = name};
    if (!drift) {
      found.push_back({"damaged", store::spoken(id), drift.error().message});
      continue;
    }
    add_drift(found, id, *drift);
    const auto value = std::ranges::lower_bound(wanted, id, {}, &store::Wanted::id);
    if (value == wanted.end() || value->id != id || !drift->bad.empty()) continue;
    for (const std::string& machine : store::machines_left_out(principals, drift->links, *value))
      found.push_back({"readers", store::spoken(id), fmt::format("deployed to machine '{}', and no link lets that read it", machine)});
  }
  return found;
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project_with_scripts(world, named_machines(given, world)));
  TRY_LET(const Overview overview, look_over(project, world));
  TRY_LET(const std::vector<std::string> machines, declared_machines(given, world, project.declaration));
  TRY_LET(const std::vector<std::string> only, declared_generators(given, project.declaration));
  std::vector<std::size_t> tasks;
  std::size_t values = 0;
  for (std::size_t i = 0; i < overview.graph.tasks.size(); ++i) {
    const generate::Task& task = overview.graph.tasks[i];
    if (!generate::concerns(task, project.declaration, machines)) continue;
    if (!only.empty() && std::ranges::find(only, task.id.generator) == only.end()) continue;
    tasks.push_back(i);
    values += task.generator->files.size();
  }
  const std::vector<store::Wanted> wanted = store::wanted(project.declaration);
  std::vector<std::vector<Found>> of_tasks(tasks.size());
  in_ranges(tasks.size(), [&](std::size_t begin, std::size_t end) {
    store::Principals principals(project.repository);
    for (std::size_t i = begin; i < end; ++i)
      of_tasks[i] = look_at(project, overview.graph.tasks[tasks[i]], overview.statuses[tasks[i]], wanted, principals);
  });
  std::vector<Found> found;
  for (std::vector<Found>& each : of_tasks) std::ranges::move(each, std::back_inserter(found));
  if (machines.empty() && only.empty()) {
    TRY_LET(const std::vector<store::VarId> orphans, orphaned(project, overview.graph));
    for (const store::VarId& id : orphans) found.push_back({"orphan", store::spoken(id), "it is stored and no longer declared"});
  }
  if (world.json) {
    Json list = Json::array();
    for (const Found& one : found) {
      Json item = Json::object();
      item.set("state", one.state);
      item.set("what", one.what);
      item.set("why", one.why);
      list.push(std::move(item));
    }
    Json json = Json::object();
    json.set("findings", std::move(list));
    print(world, dump_json(json, Indent::two_spaces));
  } else if (found.empty()) {
    print(world, values == 0 ? "no vars are declared\n" : fmt::format("all {} values are there and as they should be\n", values));
  } else {
    std::vector<std::vector<std::string>> rows;
    for (const Found& one : found) rows.push_back({one.state, one.what, one.why});
    print(world, table(rows));
  }
  return found.empty() ? Exit::done : Exit::findings;
}

}  // namespace

constinit const Command kVarsCheck = {
    "vars check",
    "find what is missing, stale, or encrypted to the wrong readers",
    "Compares what is stored with what is declared: missing and stale values, values that are due for rotation,\n"
    "values that nobody declares any more, secrets whose recipients are not those of their access links or\n"
    "that a machine cannot read although they are deployed there, and, where signatures are demanded, what nobody\n"
    "you trust has signed.\n"
    "Needs no private key. Exit code 3 when there is something to say.",
    kParameters,
    run,
};

}  // namespace vmcred::app
