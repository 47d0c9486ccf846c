// vmcred vars rotate: new values for old ones, on purpose.
#include <algorithm>
#include <set>

#include "base/spelling.h"
#include "vars/commands.h"
#include "vars/run_steps.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"[VAR...]", "GENERATOR/FILE (of --machine or --vm, or of everybody who has it)"},
    {"-g,--generator NAME...", "all values of this generator"},
    {"--vm NAME", "only this vm's value"},
    {"--only-this", "keep the generator's other files: its script makes them independently"},
    {"--dry-run", "say what would change, and change nothing"},
    {"--answers FILE", "answers to the generators' prompts ('-': standard input)"},
    {"--no-sandbox", "run the scripts with all your rights"},
    {"--commit", "commit the changes in git, all in one commit"},
};

struct Target {
  std::string generator;
  std::string file;  ///< empty: all
};

std::vector<std::string> names_of(const auto& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

Result<std::vector<Target>> targets_of(const Given& given, const declare::Declaration& declaration) {
  std::vector<Target> targets;
  for (const std::string& name : given.all("generator")) targets.push_back({.generator = name, .file = {}});
  for (const std::string& word : given.all("VAR")) {
    const std::size_t slash = word.find('/');
    if (slash == std::string::npos)
      return hint(fail(Errc::usage, "'{}' is no var", word), "write GENERATOR/FILE, or -g GENERATOR");
    targets.push_back({.generator = word.substr(0, slash), .file = word.substr(slash + 1)});
  }
  if (targets.empty()) return hint(fail(Errc::usage, "what is to be rotated?"), "name vars, or a generator with -g");
  for (const Target& target : targets) {
    const auto generator = declaration.generators.find(target.generator);
    if (generator == declaration.generators.end())
      return hint(fail(Errc::not_found, "no generator '{}' is declared", target.generator),
                  near_or_known(target.generator, names_of(declaration.generators)));
    if (!target.file.empty() && !generator->second.files.contains(target.file))
      return hint(fail(Errc::not_found, "generator '{}' has no file '{}'", target.generator, target.file),
                  near_or_known(target.file, names_of(generator->second.files)));
  }
  return targets;
}

Result<Exit> run(const Given& given, World& world) {
  const std::vector<std::string> machines =
      world.machine.empty() ? std::vector<std::string>{} : std::vector{world.machine};
  TRY_LET(const Project project, open_project_with_scripts(world, machines));
  TRY_LET(const std::vector<Target> targets, targets_of(given, project.declaration));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  TRY_LET(const Overview overview, look_over(project, world));
  std::map<std::size_t, std::set<std::string>> chosen;
  for (std::size_t i = 0; i < overview.graph.tasks.size(); ++i) {
    const generate::Task& task = overview.graph.tasks[i];
    if (!generate::concerns(task, project.declaration, machines)) continue;
    const bool of_vms = task.id.placement.sharing == declare::Sharing::per_vm;
    if (given.has("vm") && (!of_vms || task.id.placement.owner != given.at("vm"))) continue;
    for (const Target& target : targets) {
      if (target.generator != task.id.generator) continue;
      if (target.file.empty()) {
        for (const auto& [name, file] : task.generator->files) chosen[i].insert(name);
      } else {
        chosen[i].insert(target.file);
      }
    }
  }
  if (chosen.empty()) return fail(Errc::not_found, "nobody there has such a value");
  std::vector<std::size_t> tasks;
  for (const auto& [task, files] : chosen) tasks.push_back(task);
  TRY_LET(std::vector<generate::Step> steps, rotation_plan(overview.graph, overview.statuses, tasks));
  for (generate::Step& step : steps) {
    const auto wanted = chosen.find(step.task);
    const generate::Task& task = overview.graph.tasks[step.task];
    std::vector<std::string> others;
    if (wanted != chosen.end())
      for (const auto& [name, file] : task.generator->files)
        if (!wanted->second.contains(name)) others.push_back(name);
    if (!others.empty() && given.has("only-this") && overview.statuses[step.task].absent.empty()) {
      step.files.assign(wanted->second.begin(), wanted->second.end());
    } else if (!others.empty()) {
      step.why += fmt::format("; the same script makes {} anew", enumeration(others));
    }
    const std::string verb = given.has("dry-run") ? "would make" : "will make";
    if (given.has("dry-run") || wanted == chosen.end() || !others.empty())
      note(world, fmt::format("{} {} ({})", verb, store::spoken(task.id), step.why));
  }
  if (given.has("dry-run")) {
    answer_plan(steps, overview.graph, world);
    return Exit::done;
  }
  TRY(carry_out(project, overview, steps, lock,
                {.answers = given.at("answers"),
                 .sandbox = !given.has("no-sandbox"),
                 .commit = given.has("commit"),
                 .reuse_answers = false},
                world));
  return Exit::done;
}

}  // namespace

constinit const Command kVarsRotate = {
    "vars rotate",
    "replace values by new ones",
    "Runs the generators of these vars again, and of everything that is made from them, and stores the new\n"
    "values. A script makes all files of its generator together, so all of them become new; where they are\n"
    "independent of each other, --only-this keeps the others. The old values stay in git's history.",
    kParameters,
    run,
};

}  // namespace vmcred::app
