// vmcred vars check: what is missing, stale, or readable by others than it should be.
#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "commands.h"
#include "project.h"
#include "store/former.h"
#include "store/readers.h"
#include "store/remembered_readers.h"
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
  TRY(project.repository.proof()->vouched(project.repository.root(), store::Repository::generator_path(id)));
  return {};
}

/// What is to be said of one generator for one owner. `wanted`: every value of the declaration, sorted.
std::vector<Found> look_at(const Project& project, const generate::Task& task, const generate::Status& status,
                           const store::GeneratorFolder& folder, const std::vector<store::Wanted>& wanted,
                           store::Principals& principals, store::RememberedReaders& memory) {
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
  // One for each file of the generator, by name: as `stored` is sorted.
  auto value = std::ranges::lower_bound(wanted, task.id, {}, [](const store::Wanted& one) -> auto& { return one.id.generator; });
  for (const auto& [name, form] : status.stored) {
    if (form != store::Form::secret) continue;
    while (value->id.file != name) ++value;
    const Result<store::Drift> drift = store::drift(principals, folder, name, &memory);
    if (!drift) {
      found.push_back({"damaged", store::spoken(value->id), drift.error().message});
      continue;
    }
    add_drift(found, value->id, *drift);
    if (const auto former = store::former_readers(folder, name); !former) {
      found.push_back({"damaged", store::spoken(value->id), former.error().message});
    } else if (!former->empty()) {
      found.push_back({"rotate", store::spoken(value->id), store::former_text(*former)});
    }
    if (!drift->bad.empty()) continue;
    for (const std::string& machine : store::machines_left_out(principals, drift->links, *value))
      found.push_back({"readers", store::spoken(value->id), fmt::format("deployed to machine '{}', and no link lets that read it", machine)});
  }
  return found;
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project_with_scripts(world, named_machines(given, world)));
  TRY_LET(const generate::Graph graph, generate::build_graph(project.declaration));
  TRY_LET(const std::vector<std::string> machines, declared_machines(given, world, project.declaration));
  TRY_LET(const std::vector<std::string> only, declared_generators(given, project.declaration));
  std::vector<bool> asked;
  std::size_t values = 0;
  for (const generate::Task& task : graph.tasks) {
    asked.push_back(generate::concerns(task, project.declaration, machines) &&
                    (only.empty() || std::ranges::find(only, task.id.generator) != only.end()));
    if (asked.back()) values += task.generator->files.size();
  }
  const std::vector<store::Wanted> wanted = store::wanted(project.declaration);
  std::vector<std::vector<Found>> of_tasks(graph.tasks.size());
  auto memory = store::RememberedReaders::open(cache_folder(world, "readers"), project.repository.root());
  const auto visits = [&]() -> generate::Visit {
    return [&, principals = store::Principals(project.repository)](std::size_t i, const generate::Status& status,
                                                                   const store::GeneratorFolder& folder) mutable {
      if (asked[i]) of_tasks[i] = look_at(project, graph.tasks[i], status, folder, wanted, principals, memory);
    };
  };
  const std::vector<generate::Status> statuses = generate::survey(graph, project.repository, *world.clock, visits);
  for (std::size_t i = 0; i < statuses.size(); ++i)
    if (asked[i] && statuses[i].damage) of_tasks[i] = {{"damaged", store::spoken(graph.tasks[i].id), statuses[i].damage->message}};
  (void)memory.save(machines.empty() && only.empty());  // a cache that cannot be written costs the next run time, no more
  std::vector<Found> found;
  for (std::vector<Found>& each : of_tasks) std::ranges::move(each, std::back_inserter(found));
  if (machines.empty() && only.empty()) {
    TRY_LET(const std::vector<store::VarId> orphans, generate::orphans(graph, statuses, project.repository));
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
    print(world, values == 0   ? "no vars are declared\n"
                 : values == 1 ? "the one value is there and as it should be\n"
                               : fmt::format("all {} values are there and as they should be\n", values));
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
    "that a machine cannot read although they are deployed there, what is damaged, and, where signatures are\n"
    "demanded, what nobody you trust has signed.\n"
    "Secrets that did not change since the last run are not read again (~/.cache/vmcred/readers). Needs no\n"
    "private key. Exit code 3 when there is something to say.",
    kParameters,
    run,
};

}  // namespace vmcred::app
