#include "generate/run.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/threads.h"
#include "generate/outputs.h"
#include "generate/redact.h"
#include "generate/runtime_inputs.h"
#include "generate/script_groups.h"
#include "store/vault.h"

namespace vmcred::generate {
namespace {

using store::Form;
using store::VarId;

/// What a script reads: the values of its dependencies, and by which digests they enter its record.
struct Inputs {
  std::vector<std::pair<std::string, Secret>> files;
  std::map<std::string, std::string> digests;
};

Result<Inputs> read_inputs(const Task& task, const Graph& graph, const Surroundings& around) {
  Inputs inputs;
  for (const std::size_t index : task.dependencies) {
    const Task& dependency = graph.tasks[index];
    for (const auto& [name, file] : dependency.generator->files) {
      const VarId id{.generator = dependency.id, .file = name};
      TRY_LET(Secret value, around.repository.read_var(id, around.keys));  // first: it names the file that is damaged
      TRY_LET(const std::string stored, around.repository.read_stored(id));
      TRY_LET(std::string digest, value_digest(around.repository.form(id).value_or(Form::secret), stored));
      inputs.digests.emplace(store::rel_path(id), std::move(digest));
      inputs.files.emplace_back(fmt::format("in/{}/{}", dependency.id.generator, name), std::move(value));
    }
  }
  return inputs;
}

class Engine {
 public:
  Engine(const Graph& graph, const std::vector<Status>& statuses, const std::vector<Step>& steps,
         const Answers& answers, const Surroundings& around)
      : graph_(graph),
        statuses_(statuses),
        steps_(steps),
        answers_(answers),
        around_(around),
        principals_(around.repository),
        sealer_(principals_, around.clock) {}

  Changed run() {
    Changed changed;
    changed.result = prepare();
    changed.folders = extra_folders_;
    if (!changed.result) return changed;
    // Two a processor: while a sandbox is set up, the kernel mostly waits for itself (new namespaces, RCU).
    most_scripts_ = std::min<std::size_t>(
        steps_.size(), around_.threads != 0 ? around_.threads : 2 * std::max(1U, std::thread::hardware_concurrency()));
    if (around_.sandbox && !around_.systemd.empty()) groups_ = ScriptGroups::make(around_.systemd);
    {
      // This thread is the one more that publishes; alone it does everything in turn.
      const std::vector<std::jthread> others = start_threads(most_scripts_, [this] { work(); });
      work();
    }
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (failures_[i] && changed.result) changed.result = Failure(*std::move(failures_[i]));
      if (failures_[i] || stages_[i] != Stage::done) continue;
      const Task& task = graph_.tasks[steps_[i].task];
      changed.folders.push_back(store::Repository::generator_path(task.id));
      changed.made.push_back(&task);
    }
    return changed;
  }

 private:
  enum class Stage : std::uint8_t { waiting, running, done, failed };  ///< failed: also what needs one that failed

  /// The new content of one step's folder, waiting for the publisher.
  struct Finished {
    std::size_t step = 0;
    store::FolderChange change;
    Event event;
  };

  /// Everything that can be refused before the first script runs.
  Result<> prepare() {
    stages_.assign(steps_.size(), Stage::waiting);
    failures_.resize(steps_.size());
    for (std::size_t i = 0; i < steps_.size(); ++i) step_of_.emplace(steps_[i].task, i);
    for (const Step& step : steps_) {
      const Task& task = graph_.tasks[step.task];
      if (script_unknown(*task.generator))
        return hint(fail(Errc::not_found, "the script of {} is not known, only what it made", store::spoken(task.id)),
                    "name the configuration that declares it: --flake REF#HOST or --nix FILE");
      const std::vector<std::string>& inputs = task.generator->runtime_inputs;
      if (toolboxes_.contains(inputs)) continue;
      TRY_LET(Toolbox toolbox, in(store::spoken(task.id), find_runtime_inputs(inputs)));
      toolboxes_.emplace(inputs, std::move(toolbox));
    }
    bool secrets = false;
    std::set<std::string> machines;
    for (const store::Wanted& value : store::wanted(around_.declaration)) {
      const auto task = graph_.index.find(value.id.generator);
      if (task == graph_.index.end() || !step_of_.contains(task->second)) continue;
      wanted_[task->second].push_back(value);
      if (!value.file->secret) continue;
      secrets = true;
      machines.insert(value.machines.begin(), value.machines.end());
    }
    if (!secrets) return {};
    TRY_LET(writer_, principals_.user_of(around_.keys));
    for (const std::string& name : machines) {
      const auto declared = around_.declaration.machines.find(name);
      if (declared == around_.declaration.machines.end())
        return fail(Errc::not_found, "no machine '{}' is declared", name);
      TRY_LET(const bool made,
              in(fmt::format("make the key of machine '{}'", name),
                 ensure_machine_key(around_.repository, around_.lock, declared->second, writer_, around_.keys)));
      if (!made) continue;
      extra_folders_.push_back("sops/machines/" + name);
      extra_folders_.push_back(fmt::format("sops/secrets/{}-age.key", name));
    }
    principals_ = store::Principals(around_.repository);  // it may have looked before the keys were there
    return {};
  }

  /// A step whose dependencies are finished, where one more script may run. What needs a failed one is not tried.
  [[nodiscard]] std::optional<std::size_t> next() {
    if (stop_) return {};
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (stages_[i] != Stage::waiting) continue;
      const auto& needs = graph_.tasks[steps_[i].task].dependencies;
      const auto is = [&](Stage stage) {
        return [&, stage](std::size_t need) {
          const auto step = step_of_.find(need);
          return step == step_of_.end() ? stage == Stage::done : stages_[step->second] == stage;
        };
      };
      if (std::ranges::any_of(needs, is(Stage::failed))) {  // steps stand behind what they need
        stages_[i] = Stage::failed;
        continue;
      }
      if (scripts_ < most_scripts_ && std::ranges::all_of(needs, is(Stage::done))) return i;
    }
    return {};
  }

  /// What every thread does until nothing is left and nothing more can come.
  void work() {
    std::unique_lock hold(mutex_);
    while (true) {
      if (!publishing_ && !finished_.empty()) {
        publish_what_came(hold);
      } else if (const std::optional<std::size_t> step = next()) {
        run_script(hold, *step);
      } else if (scripts_ != 0 || publishing_) {
        changed_.wait(hold);
      } else {
        return;
      }
    }
  }

  void run_script(std::unique_lock<std::mutex>& hold, std::size_t step) {
    stages_[step] = Stage::running;
    ++scripts_;
    const Task& task = graph_.tasks[steps_[step].task];
    tell({.kind = Event::Kind::started, .task = &task});
    hold.unlock();
    const Result<> result = carry_out(step, task);
    hold.lock();
    --scripts_;
    if (!result)
      end(step, result, result.error().code == Errc::unavailable && result.error().message.contains("sandbox"));
    changed_.notify_all();
  }

  /// A disk brings many folders to rest about as fast as one. So scripts go on while one thread publishes, and whatever
  /// has become ready meanwhile is the next order.
  void publish_what_came(std::unique_lock<std::mutex>& hold) {
    publishing_ = true;
    std::vector<Finished> some = std::exchange(finished_, {});
    hold.unlock();
    std::vector<store::FolderChange> changes;
    for (Finished& one : some) changes.push_back(std::move(one.change));
    std::vector<Result<>> results(some.size());
    if (!publish(around_.repository, around_.lock, changes)) {  // then one by one, to know which
      for (std::size_t i = 0; i < some.size(); ++i)
        results[i] = publish(around_.repository, around_.lock, {&changes[i], 1});
    }
    hold.lock();
    publishing_ = false;
    for (std::size_t i = 0; i < some.size(); ++i) {
      if (!results[i]) some[i].event.kind = Event::Kind::failed;
      ++done_;
      tell(std::move(some[i].event));
      end(some[i].step, results[i], true);
    }
    changed_.notify_all();
  }

  /// A script that fails holds up what needs it, and nothing else; where no script can run at all, the first says it
  /// for all.
  void end(std::size_t step, const Result<>& result, bool for_all = false) {
    stages_[step] = result ? Stage::done : Stage::failed;
    if (!result) {
      failures_[step] =
          in(fmt::format("generate {}", store::spoken(graph_.tasks[steps_[step].task].id)), result).error();
      stop_ = stop_ || for_all;
    }
  }

  /// Tells it with its reason; to be called with the lock held.
  Result<> failed(Event event, Error why) {
    event.kind = Event::Kind::failed;
    event.reason = why.message;
    event.remedy = why.hint;
    ++done_;
    tell(std::move(event));
    return Failure(std::move(why));
  }

  void tell(Event event) {
    event.done = done_;
    if (around_.observe) around_.observe(event);
  }

  Result<> carry_out(std::size_t step, const Task& task) {
    const Result<Inputs> read = read_inputs(task, graph_, around_);
    if (!read) {
      const std::scoped_lock hold(mutex_);
      return failed({.task = &task}, read.error());
    }
    const Inputs& inputs = *read;
    const Toolbox& toolbox = toolboxes_.at(task.generator->runtime_inputs);
    Job job{.script = task.generator->script,
            .commands = toolbox.commands,
            .read_only = toolbox.read_only,
            .max_output_bytes = store::kMaxValueBytes,
            .limits = around_.limits,
            .groups = groups_ ? &*groups_ : nullptr};
    std::vector<const Secret*> plaintext;
    for (const auto& [path, value] : inputs.files) {
      job.inputs.push_back({.path = path, .value = value.bytes()});
      plaintext.push_back(&value);
    }
    if (const auto given = answers_.find(task.id); given != answers_.end())
      for (const auto& [name, value] : given->second) {
        job.inputs.push_back({.path = "prompts/" + name, .value = value.bytes()});
        if (task.generator->prompts.at(name).persist)
          job.inputs.push_back({.path = "out/" + name, .value = value.bytes()});
        plaintext.push_back(&value);
      }
    for (const auto& [name, file] : task.generator->files) job.outputs.push_back(name);

    TRY_LET(Outcome outcome, around_.sandbox ? run_in_sandbox(job) : run_without_sandbox(job));
    auto* made = std::get_if<Made>(&outcome.what);
    if (made != nullptr)
      for (const auto& [name, value] : made->files) plaintext.push_back(&value);
    for (const Secret& value : outcome.leftovers) plaintext.push_back(&value);
    Event event{.kind = Event::Kind::made, .task = &task, .log = redacted(outcome.log.text(), plaintext)};
    std::optional<Failure> failure = made == nullptr ? failure_of(outcome, task.id, *task.generator, around_.sandbox)
                                                     : refusal_of(*made, *task.generator, event.warnings);
    const std::scoped_lock hold(mutex_);
    store::FolderChange change{.folder = store::Repository::generator_path(task.id), .change = {}};
    Result<> result =
        failure ? Result<>(*std::move(failure)) : fill(change.change, step, task, *made, inputs, event.files);
    if (result) {
      finished_.push_back({.step = step, .change = std::move(change), .event = std::move(event)});
      return {};
    }
    return failed(std::move(event), std::move(result).error());
  }

  /// The change that stores what a script made: encrypted values and the record.
  Result<> fill(store::Change& change, std::size_t index, const Task& task, Made& made, const Inputs& inputs,
                std::vector<std::string>& stored) {
    const Step& step = steps_[index];
    const declare::Generator& generator = *task.generator;
    const Status& status = statuses_[step.task];
    for (const store::Wanted& value : wanted_[step.task]) {
      const std::string& name = value.id.file;
      if (!step.files.empty() && std::ranges::find(step.files, name) == step.files.end()) continue;
      TRY(sealer_.add(change, around_.repository, task.id,
                      {.file = name,
                       .form = value.file->secret ? Form::secret : Form::open,
                       .value = std::move(made.files.at(name)),
                       .links = links_for(around_.declaration, value, writer_)}));
      stored.push_back(name);
    }
    store::Record record{.script = script_digest(generator),
                         .runtime_inputs = declared_inputs(generator),
                         .dependencies = inputs.digests,
                         .generated = rfc3339(around_.clock.now())};
    for (const auto& [name, file] : generator.files) record.files[name] = file.secret ? Form::secret : Form::open;
    if (!step.files.empty() && status.record) {
      // The kept values are as old as they were, and made from what they were made from.
      record.generated = status.record->generated;
      record.set_by_hand = status.record->set_by_hand;
      record.renewed = status.record->renewed;
      for (const std::string& name : step.files) {
        record.set_by_hand.erase(name);
        record.renewed[name] = rfc3339(around_.clock.now());
      }
      for (const auto& [key, digest] : status.record->dependencies)
        if (record.dependencies.contains(key)) record.dependencies[key] = digest;
    }
    change.files[std::string(store::kRecordName)] = print_record(record);
    if (const auto hash = wanted_validation(generator)) {
      change.files[std::string(store::kValidationName)] = *hash;
    } else {
      change.remove.emplace_back(store::kValidationName);
    }
    return {};
  }

  const Graph& graph_;
  const std::vector<Status>& statuses_;
  const std::vector<Step>& steps_;
  const Answers& answers_;
  const Surroundings& around_;
  store::Principals principals_;
  store::Sealer sealer_;
  std::string writer_;
  Result<ScriptGroups> groups_ = fail(Errc::unavailable, "not asked for");
  std::map<std::vector<std::string>, Toolbox> toolboxes_;
  std::map<std::size_t, std::size_t> step_of_;                ///< task -> step
  std::map<std::size_t, std::vector<store::Wanted>> wanted_;  ///< by task
  std::vector<std::string> extra_folders_;
  // What the threads share.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Stage> stages_;
  std::vector<std::optional<Error>> failures_;
  std::vector<Finished> finished_;
  std::size_t done_ = 0;
  std::size_t scripts_ = 0;  ///< that run now
  std::size_t most_scripts_ = 1;
  bool publishing_ = false;  ///< one thread does
  bool stop_ = false;
};

}  // namespace

Changed run_plan(const Graph& graph, const std::vector<Status>& statuses, const std::vector<Step>& steps,
                 const Answers& answers, const Surroundings& around) {
  if (steps.empty()) return {};
  return Engine(graph, statuses, steps, answers, around).run();
}

}  // namespace vmcred::generate
