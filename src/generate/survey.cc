#include "generate/survey.h"

#include <algorithm>
#include <set>

#include "base/base64.h"
#include "base/parallel.h"
#include "base/sha256.h"
#include "base/spelling.h"
#include "generate/store_paths.h"

namespace vmcred::generate {
namespace {

using store::Form;
using store::VarId;

constexpr std::size_t kTogether = 4;  // tasks that a thread looks at in one go

Form form_of(const declare::File& file) { return file.secret ? Form::secret : Form::open; }

std::string quoted_list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += fmt::format("{}'{}'", text.empty() ? "" : ", ", name);
  return text;
}

/// Why values that are all there are no longer what the declaration would make.
std::vector<std::string> reasons_of(const Task& task, const Graph& graph, const store::Repository& repository,
                                    const store::Record& record) {
  const declare::Generator& generator = *task.generator;
  std::vector<std::string> reasons;
  if (record.script != script_digest(generator)) reasons.emplace_back("its script changed");
  if (record.runtime_inputs != declared_inputs(generator)) reasons.emplace_back("its runtime-inputs changed");
  std::set<std::string> needed;
  for (const std::size_t index : task.dependencies) {
    const Task& dependency = graph.tasks[index];
    for (const auto& [name, file] : dependency.generator->files) {
      const VarId id{.generator = dependency.id, .file = name};
      const std::string key = store::rel_path(id);
      needed.insert(key);
      const auto known = record.dependencies.find(key);
      if (known == record.dependencies.end()) {
        reasons.push_back(fmt::format("{}/{} is a new dependency", id.generator.generator, name));
        continue;
      }
      const Result<std::optional<Form>> form = repository.look(id);
      if (form && !*form) {
        reasons.push_back(fmt::format("{}/{} is missing", id.generator.generator, name));
        continue;
      }
      const Result<std::string> stored = form ? repository.read_stored(id) : std::unexpected(form.error());
      const Result<std::string> digest = stored ? value_digest(**form, *stored) : stored;
      if (!digest)
        reasons.push_back(fmt::format("{}/{} is damaged", id.generator.generator, name));
      else if (*digest != known->second)
        reasons.push_back(fmt::format("{}/{} changed", id.generator.generator, name));
    }
  }
  for (const auto& [key, digest] : record.dependencies)
    if (!needed.contains(key)) reasons.push_back(fmt::format("{} is no dependency any more", key));
  return reasons;
}

Result<Status> status_of(const Task& task, const Graph& graph, const store::Repository& repository,
                         const store::GeneratorFolder& folder, const Clock& clock) {
  const declare::Generator& generator = *task.generator;
  Status status;
  std::vector<std::string> other_form;
  status.undeclared = folder.names();
  std::erase_if(status.undeclared, [&](const std::string& name) { return generator.files.contains(name); });
  for (const auto& [name, file] : generator.files) {
    TRY_LET(const std::optional<Form> form, folder.look(name));
    if (form) status.stored.emplace(name, *form);
    if (!form) status.absent.push_back(name);
    if (form && *form != form_of(file))
      other_form.push_back(fmt::format("'{}' is stored {}", name, *form == Form::open ? "in the open" : "as a secret"));
  }
  if (!status.absent.empty()) {
    const bool all = status.absent.size() == generator.files.size();
    status.state = all ? State::missing : State::partial;
    status.reasons.push_back(all ? "it was never generated" : fmt::format("{} is missing", quoted_list(status.absent)));
    if (all) return status;
  }
  TRY_LET(status.record, store::read_record(folder));
  if (status.state == State::partial || script_unknown(generator)) return status;
  TRY_LET(const std::optional<std::string> validation, folder.validation_hash());
  if (validation != wanted_validation(generator)) {
    status.state = State::invalid;
    status.reasons.emplace_back("its validation changed");
    return status;
  }
  status.reasons = std::move(other_form);
  if (status.record) {
    const std::vector<std::string> more = reasons_of(task, graph, repository, *status.record);
    status.reasons.insert(status.reasons.end(), more.begin(), more.end());
    status.due = generator.rotate_after && std::ranges::any_of(generator.files, [&](const auto& file) {
                   const Result<SystemTime> made = store::born(*status.record, file.first);
                   return made && clock.now() - *made > *generator.rotate_after;
                 });
  }
  if (!status.reasons.empty()) status.state = State::stale;
  return status;
}

Result<> check_names(const Graph& graph, const declare::Declaration& declaration, const Request& request) {
  std::vector<std::string> known;
  for (const auto& [name, machine] : declaration.machines) known.push_back(name);
  for (const std::string& machine : request.machines)
    if (!declaration.machines.contains(machine))
      return hint(fail(Errc::not_found, "no machine '{}' is declared", machine), near_or_known(machine, known));
  known.clear();
  for (const auto& [name, generator] : declaration.generators) known.push_back(name);
  for (const std::string& name : request.generators) {
    if (!declaration.generators.contains(name))
      return hint(fail(Errc::not_found, "no generator '{}' is declared", name), near_or_known(name, known));
    const bool here = std::ranges::any_of(graph.tasks, [&](const Task& task) {
      return task.id.generator == name && concerns(task, declaration, request.machines);
    });
    if (!here) return fail(Errc::usage, "generator '{}' does not concern these machines", name);
  }
  return {};
}

std::string joined(const std::vector<std::string>& reasons) {
  std::string text;
  for (const std::string& reason : reasons) text += (text.empty() ? "" : "; ") + reason;
  return text;
}

}  // namespace

bool script_unknown(const declare::Generator& generator) {
  return generator.foreign && generator.script.empty() && generator.prompts.empty();
}

std::string_view word(State state) {
  switch (state) {
    case State::fresh:
      return "fresh";
    case State::stale:
      return "stale";
    case State::invalid:
      return "invalid";
    case State::partial:
      return "partial";
    case State::missing:
      return "missing";
    case State::damaged:
      return "damaged";
  }
  return {};
}

std::optional<std::string> wanted_validation(const declare::Generator& generator) {
  if (!generator.validation_json) return {};
  return hex_encode(sha256(bytes_of(*generator.validation_json)));
}

std::string script_digest(const declare::Generator& generator) {
  return hex_encode(sha256(bytes_of(without_versions(generator.script))));
}

std::vector<std::string> declared_inputs(const declare::Generator& generator) {
  std::vector<std::string> names;
  for (const std::string& input : generator.runtime_inputs) names.push_back(without_versions(input));
  return names;
}

std::vector<Status> survey(const Graph& graph, const store::Repository& repository, const Clock& clock,
                           const Visits& visits) {
  std::vector<Status> statuses(graph.tasks.size());
  const auto look_at = [&](std::size_t i, const Visit& visit) -> Result<> {
    TRY_LET(const store::GeneratorFolder folder, store::GeneratorFolder::open(repository, graph.tasks[i].id));
    TRY_LET(statuses[i], status_of(graph.tasks[i], graph, repository, folder, clock));
    if (visit) visit(i, statuses[i], folder);
    return {};
  };
  in_ranges(
      graph.tasks.size(),
      [&, visit = Visit()](std::size_t begin, std::size_t end) mutable {
        if (visits && !visit) visit = visits();
        for (std::size_t i = begin; i < end; ++i) {
          if (Result<> looked = look_at(i, visit); !looked)
            statuses[i] = {
                .state = State::damaged, .reasons = {looked.error().message}, .damage = std::move(looked).error()};
        }
      },
      kTogether);
  return statuses;
}

Result<std::vector<VarId>> orphans(const Graph& graph, const std::vector<Status>& statuses,
                                   const store::Repository& repository) {
  TRY_LET(const std::vector<store::GeneratorId> every, repository.generators());
  std::vector<VarId> all;
  for (const store::GeneratorId& id : every) {
    const auto task = graph.index.find(id);
    if (task != graph.index.end() && statuses[task->second].undeclared.empty()) continue;
    TRY_LET(const std::vector<std::string> stored, repository.files(id));
    for (const std::string& file : stored)
      if (task == graph.index.end() || !graph.tasks[task->second].generator->files.contains(file))
        all.push_back({.generator = id, .file = file});
  }
  return all;
}

Result<std::vector<Step>> make_plan(const Graph& graph, const std::vector<Status>& statuses,
                                    const declare::Declaration& declaration, const Request& request) {
  TRY(check_names(graph, declaration, request));
  std::map<std::size_t, Step> chosen;
  std::vector<std::string> undecided;
  // Indexes only grow along dependents, so going down meets every task before what it depends on.
  for (std::size_t i = graph.tasks.size(); i-- > 0;) {
    const Task& task = graph.tasks[i];
    const Status& status = statuses[i];
    const bool named = std::ranges::find(request.generators, task.id.generator) != request.generators.end();
    const bool asked = concerns(task, declaration, request.machines) && (request.generators.empty() || named);
    const bool needed = std::ranges::any_of(task.dependents, [&](std::size_t other) { return chosen.contains(other); });
    Step step{.task = i, .why = joined(status.reasons)};
    switch (status.state) {
      case State::missing:
        if (!asked && !needed) continue;
        break;
      case State::invalid:
        if (!asked) continue;
        break;
      case State::partial:
        if (!asked && !needed) continue;
        if (!request.only_missing && !request.regenerate) {
          undecided.push_back(fmt::format("{}: {}", store::spoken(task.id), joined(status.reasons)));
          continue;
        }
        if (request.only_missing) step.files = status.absent;
        break;
      case State::stale:
        if (!asked) continue;
        if (!request.stale && task.generator->on_stale != declare::OnStale::regenerate &&
            !(named && request.regenerate)) {
          continue;
        }
        break;
      case State::damaged:
        if (!asked && !needed) continue;
        return Failure(*status.damage);
      case State::fresh:
        if (!asked || !named || !request.regenerate) continue;
        step.why = "you asked for it";
        break;
    }
    chosen.emplace(i, std::move(step));
  }
  if (!undecided.empty()) {
    std::ranges::reverse(undecided);
    return hint(fail(Errc::mismatch, "some of the values exist and others do not: {}", joined(undecided)),
                "'vmcred vars generate --only-missing' keeps the values that exist and stores the new ones alone; "
                "'vmcred vars generate --regenerate' makes all values of these generators anew");
  }
  std::vector<Step> steps;
  for (auto& [index, step] : chosen) steps.push_back(std::move(step));
  return steps;
}

Result<std::vector<Step>> rotation_plan(const Graph& graph, const std::vector<Status>& statuses,
                                        const std::vector<std::size_t>& tasks) {
  std::map<std::size_t, Step> chosen;
  for (const std::size_t task : tasks) chosen[task] = {.task = task, .why = "it is rotated"};
  for (std::size_t i = 0; i < graph.tasks.size(); ++i) {
    if (chosen.contains(i)) continue;
    for (const std::size_t need : graph.tasks[i].dependencies)
      if (chosen.contains(need))
        chosen[i] = {.task = i, .why = fmt::format("it is made from '{}'", graph.tasks[need].id.generator)};
  }
  for (std::size_t i = graph.tasks.size(); i-- > 0;) {  // and what is needed but was never made
    const auto& dependents = graph.tasks[i].dependents;
    if (!chosen.contains(i) && statuses[i].state == State::missing &&
        std::ranges::any_of(dependents, [&](std::size_t other) { return chosen.contains(other); }))
      chosen[i] = {.task = i, .why = joined(statuses[i].reasons)};
  }
  std::vector<Step> steps;
  for (auto& [index, step] : chosen) {
    if (statuses[index].damage) return Failure(*statuses[index].damage);
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace vmcred::generate
