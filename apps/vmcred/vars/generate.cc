// vmcred vars generate: makes what is missing.
#include <algorithm>

#include "base/json.h"
#include "generate/spoken.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vars/commands.h"
#include "vars/run_steps.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"[MACHINE...]", "only what these machines need (default: everything)"},
    {"-g,--generator NAME...", "only this generator and what it needs"},
    {"--only-missing", "where some files of a generator exist: keep them, store only the others"},
    {"--regenerate", "make all files of such a generator anew; with -g: of that generator in any case"},
    {"--stale", "also remake what was made from another script or other inputs"},
    {"--dry-run", "say what would be made and why, and change nothing"},
    {"--no-sandbox", "run the scripts with all your rights"},
    {"--answers FILE", "answers to the generators' prompts ('-': standard input)"},
    {"--commit", "commit the changes in git, all in one commit"},
};

std::string why_text(const generate::Step& step) { return step.why.empty() ? "" : " (" + step.why + ")"; }

void print_plan(const std::vector<generate::Step>& steps, const generate::Graph& graph, const World& world) {
  answer_plan(steps, graph, world);
  if (world.json) return;
  if (steps.empty()) print(world, "nothing would change\n");
  for (const generate::Step& step : steps)
    print(world, fmt::format("would make {}{}\n", store::spoken(graph.tasks[step.task].id), why_text(step)));
}

/// What stays as it is although somebody may expect otherwise.
void mention_stale(const Overview& overview, const std::vector<generate::Step>& steps, const Project& project,
                   const generate::Request& request, const World& world) {
  // One edit of a script is one line, however many have its values.
  struct Kept {
    std::vector<const generate::Task*> tasks;
    std::string why;
  };
  std::vector<Kept> all;
  for (std::size_t i = 0; i < overview.graph.tasks.size(); ++i) {
    const generate::Task& task = overview.graph.tasks[i];
    if (overview.statuses[i].state != generate::State::stale) continue;
    if (!generate::concerns(task, project.declaration, request.machines)) continue;
    if (std::ranges::any_of(steps, [&](const generate::Step& step) { return step.task == i; })) continue;
    const std::string why = enumeration(overview.statuses[i].reasons);
    const auto same = std::ranges::find_if(
        all, [&](const Kept& kept) { return kept.tasks.front()->generator == task.generator && kept.why == why; });
    if (same != all.end()) {
      same->tasks.push_back(&task);
    } else {
      all.push_back({{&task}, why});
    }
  }
  for (const Kept& kept : all)
    for (const generate::Task* task : kept.tasks) answer_also(world, "kept", task_json(*task).set("why", kept.why));
  for (const Kept& kept : all)
    note(world, fmt::format("{} {}: {}", styled("kept", Style::yellow, world.color_err), generate::spoken(kept.tasks),
                            kept.why));
  if (!all.empty()) note(world, "hint: --stale makes what was kept anew");
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project_with_scripts(world, named_machines(given, world)));
  const generate::Request request = {.machines = named_machines(given, world),
                                     .generators = given.all("generator"),
                                     .stale = given.has("stale"),
                                     .only_missing = given.has("only-missing"),
                                     .regenerate = given.has("regenerate")};
  if (request.only_missing && request.regenerate)
    return fail(Errc::usage, "--only-missing and --regenerate exclude each other");
  if (given.has("dry-run")) {
    TRY_LET(const Overview overview, look_over(project, world));
    TRY_LET(const auto steps, make_plan(overview.graph, overview.statuses, project.declaration, request));
    print_plan(steps, overview.graph, world);
    return Exit::done;
  }
  TRY_LET(const store::Lock lock, lock_store(project, world));
  TRY_LET(const Overview overview, look_over(project, world));
  TRY_LET(const auto steps, make_plan(overview.graph, overview.statuses, project.declaration, request));
  mention_stale(overview, steps, project, request, world);
  if (steps.empty()) {
    note(world, "nothing to do: all values are there");
    return Exit::done;
  }
  TRY(carry_out(project, overview, steps, lock,
                {.answers = given.at("answers"),
                 .sandbox = !given.has("no-sandbox"),
                 .commit = given.has("commit"),
                 .reuse_answers = !request.regenerate},
                world));
  return Exit::done;
}

}  // namespace

constinit const Command kVarsGenerate = {
    "vars generate",
    "make the values that are missing",
    "Runs the generators whose values do not exist yet, or whose 'validation' changed, each in a sandbox, and\n"
    "stores what they make encrypted. Nothing that exists is ever replaced without a word for it: what was made\n"
    "from an older script or other inputs is named and kept unless --stale is given. All files of one generator\n"
    "change together or not at all.\n\n"
    "Prompts are answered on the terminal, or from --answers, whose lines are GENERATOR/PROMPT = ANSWER (with\n"
    "MACHINE: or VM: in front for one of them only), or GENERATOR/PROMPT <<END, lines, END for longer ones.",
    kParameters,
    run,
};

}  // namespace vmcred::app
