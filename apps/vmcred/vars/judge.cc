#include "vars/judge.h"

#include <algorithm>

#include "project/project.h"
#include "store/former.h"
#include "store/readers.h"
#include "store/remembered_readers.h"
#include "store/vault.h"

namespace vmcred::app {
namespace {

std::string keys_text(const std::vector<store::PublicKey>& keys) {
  std::vector<std::string> texts;
  for (const store::PublicKey& key : keys) texts.push_back(key.text);
  return enumeration(texts);
}

void add_drift(std::vector<Fault>& found, const store::SecretPlace& place, const store::Drift& drift) {
  const std::string file = place.var ? place.var->file : std::string();
  const std::string machine = store::machine_of_key_folder(place.folder);
  const std::string beyond =
      machine.empty() ? "" : fmt::format(" (whoever has it reads all that machine {} reads)", machine);
  if (!drift.removed.empty())
    found.push_back({"readers", place.name(), "also encrypted to " + keys_text(drift.removed) + beyond, file});
  if (!drift.added.empty())
    found.push_back({"readers", place.name(), "not encrypted to " + keys_text(drift.added), file});
  for (const store::BadLink& link : drift.bad) found.push_back({"readers", link.path, link.reason, file});
}

/// Where signatures are demanded: that somebody trusted signed what is there.
Result<> vouched_for(const Project& project, const store::GeneratorId& id, const generate::Status& status) {
  if (project.repository.proof() == nullptr || status.state == generate::State::missing) return {};
  TRY(project.repository.proof()->vouched(project.repository.root(), store::Repository::generator_path(id)));
  return {};
}

/// What is to be said of one generator for one owner. `wanted`: every value of the declaration, sorted.
std::vector<Fault> look_at(const Project& project, const generate::Task& task, const generate::Status& status,
                           const store::GeneratorFolder& folder, const std::vector<store::Wanted>& wanted,
                           store::Principals& principals, store::RememberedReaders& memory) {
  std::vector<Fault> found;
  if (status.state != generate::State::fresh)
    found.push_back({.state = std::string(generate::word(status.state)),
                     .what = store::spoken(task.id),
                     .why = enumeration(status.reasons),
                     .task = &task});
  if (const Result<> vouched = vouched_for(project, task.id, status); !vouched) {
    found.push_back({"signature", store::spoken(task.id), vouched.error().message});
    return found;
  }
  if (status.due)
    found.push_back(
        {"due", store::spoken(task.id), fmt::format("older than {} days", task.generator->rotate_after->count())});
  // One for each file of the generator, by name: as `stored` is sorted.
  auto value =
      std::ranges::lower_bound(wanted, task.id, {}, [](const store::Wanted& one) -> auto& { return one.id.generator; });
  for (const auto& [name, form] : status.stored) {
    if (form != store::Form::secret) continue;
    while (value->id.file != name) ++value;
    const Result<store::Drift> drift = store::drift(principals, folder, name, &memory);
    if (!drift) {
      found.push_back({.state = "damaged",
                       .what = store::spoken(value->id),
                       .why = drift.error().message,
                       .file = name,
                       .remedy = drift.error().hint});
      continue;
    }
    add_drift(found, {.folder = folder.path() + "/" + name, .var = value->id}, *drift);
    if (const auto former = store::former_readers(folder, name); !former) {
      found.push_back({"damaged", store::spoken(value->id), former.error().message, name});
    } else if (!former->empty()) {
      found.push_back({"rotate", store::spoken(value->id), store::former_text(*former), name});
    }
    if (!drift->bad.empty()) continue;
    for (const std::string& machine : store::machines_left_out(principals, drift->links, *value))
      found.push_back({"readers", store::spoken(value->id),
                       fmt::format("deployed to machine '{}', and no link lets that read it", machine), name});
  }
  return found;
}

}  // namespace

Result<Judgement> judge(const Project& project, const Selection& named, const World& world) {
  Judgement all;
  TRY_LET(all.graph, generate::build_graph(project.declaration));
  const std::vector<generate::Task>& tasks = all.graph.tasks;
  std::vector<bool> asked;
  for (const generate::Task& task : tasks) {
    asked.push_back(
        generate::concerns(task, project.declaration, named.machines) &&
        (named.generators.empty() || std::ranges::find(named.generators, task.id.generator) != named.generators.end()));
    if (asked.back()) all.values += task.generator->files.size();
  }
  const std::vector<store::Wanted> wanted = store::wanted(project.declaration);
  all.faults.resize(tasks.size());
  auto memory = store::RememberedReaders::open(cache_folder(world, "readers"), project.repository.root());
  const auto visits = [&]() -> generate::Visit {
    return [&, principals = store::Principals(project.repository)](std::size_t i, const generate::Status& status,
                                                                   const store::GeneratorFolder& folder) mutable {
      if (asked[i]) all.faults[i] = look_at(project, tasks[i], status, folder, wanted, principals, memory);
    };
  };
  all.statuses = generate::survey(all.graph, project.repository, *world.clock, visits);
  for (std::size_t i = 0; i < tasks.size(); ++i)
    if (asked[i] && all.statuses[i].damage)
      all.faults[i] = {{.state = "damaged",
                        .what = store::spoken(tasks[i].id),
                        .why = all.statuses[i].damage->message,
                        .remedy = all.statuses[i].damage->hint}};
  (void)memory.save(named.everything());  // a cache that cannot be written costs the next run time, no more
  return all;
}

Result<std::vector<Fault>> judge_others(const Project& project, const std::vector<store::VarId>& orphans) {
  TRY_LET(std::vector<store::SecretPlace> places, store::places_beside_vars(project.repository));
  for (const store::VarId& id : orphans)
    if (project.repository.form(id) == store::Form::secret)
      places.push_back({.folder = store::Repository::generator_path(id.generator) + "/" + id.file, .var = id});
  std::vector<Fault> found;
  store::Principals principals(project.repository);
  for (const store::SecretPlace& place : places) {
    const Result<store::Drift> drift = store::drift(principals, place.folder);
    if (drift) {
      add_drift(found, place, *drift);
    } else {
      found.push_back({.state = drift.error().code == Errc::mismatch ? "signature" : "damaged",
                       .what = place.name(),
                       .why = drift.error().message,
                       .remedy = drift.error().hint});
    }
  }
  return found;
}

}  // namespace vmcred::app
