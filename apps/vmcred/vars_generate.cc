// vmcred vars generate: makes what is missing.
#include <algorithm>

#include "base/json.h"
#include "commands.h"
#include "generate/run.h"
#include "terminal.h"
#include "vars.h"

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
    {"--commit", "commit the changes in git, all in one commit"},
};

std::string why_text(const generate::Step& step) { return step.why.empty() ? "" : " (" + step.why + ")"; }

void print_plan(const std::vector<generate::Step>& steps, const generate::Graph& graph, const World& world) {
  if (world.json) {
    Json list = Json::array();
    for (const generate::Step& step : steps) {
      Json item = Json::object();
      item.set("generator", graph.tasks[step.task].id.generator);
      item.set("owner", owner_text(graph.tasks[step.task].id.placement));
      item.set("why", step.why);
      item.set("only", Json::strings(step.files));
      list.push(std::move(item));
    }
    Json json = Json::object();
    json.set("would-make", std::move(list));
    print(world, dump_json(json, Indent::two_spaces));
    return;
  }
  if (steps.empty()) print(world, "nothing would change\n");
  for (const generate::Step& step : steps)
    print(world, fmt::format("would make {}{}\n", store::spoken(graph.tasks[step.task].id), why_text(step)));
}

/// Prints what happened in the order of the plan, whatever order it happened in.
class Story {
 public:
  Story(const World& world, const std::vector<generate::Step>& steps)
      : world_(world), steps_(steps), lines_(steps.size()), line_(world) {
    for (std::size_t i = 0; i < steps.size(); ++i) place_[steps[i].task] = i;
  }

  void tell(const generate::Graph& graph, const generate::Event& event) {
    if (event.kind == generate::Event::Kind::started) {
      line_.show(fmt::format("[{}/{}] {}", event.done, steps_.size(), store::spoken(event.task->id)));
      return;
    }
    std::string& text = lines_[place_.at(graph.index.at(event.task->id))];
    if (event.kind == generate::Event::Kind::made) {
      const bool changed = !event.files.empty();
      text = fmt::format("{} {}{}\n", styled("made", Style::green, world_.color_err), store::spoken(event.task->id),
                         changed ? ": " + enumeration(event.files) : std::string());
      if (world_.verbose && !event.log.empty()) text += indented(event.log);
    } else {
      text = fmt::format("{} {}\n", styled("failed", Style::red, world_.color_err), store::spoken(event.task->id));
      if (!event.log.empty()) text += indented(event.log);
    }
    for (const std::string& warning : event.warnings) text += "  warning: " + warning + "\n";
    while (told_ < lines_.size() && !lines_[told_].empty()) say(lines_[told_++]);
  }

  /// What is left behind a step that never ran.
  void end() {
    for (; told_ < lines_.size(); ++told_) say(lines_[told_]);
    line_.clear();
  }

 private:
  static std::string indented(const std::string& log) {
    std::string text = "  ";
    for (const char c : log) text += c == '\n' ? "\n  " : std::string(1, c);
    return text + "\n";
  }
  void say(const std::string& text) {
    if (text.empty()) return;
    line_.clear();
    note(world_, text.substr(0, text.size() - 1));
  }

  const World& world_;
  const std::vector<generate::Step>& steps_;
  std::map<std::size_t, std::size_t> place_;
  std::vector<std::string> lines_;
  std::size_t told_ = 0;
  StatusLine line_;
};

/// What stays as it is although somebody may expect otherwise.
void mention_stale(const Overview& overview, const std::vector<generate::Step>& steps, const Project& project,
                   const generate::Request& request, const World& world) {
  for (std::size_t i = 0; i < overview.graph.tasks.size(); ++i) {
    const generate::Task& task = overview.graph.tasks[i];
    if (overview.statuses[i].state != generate::State::stale) continue;
    if (!generate::concerns(task, project.declaration, request.machines)) continue;
    if (std::ranges::any_of(steps, [&](const generate::Step& step) { return step.task == i; })) continue;
    note(world, fmt::format("{} {}: {}", styled("kept", Style::yellow, world.color_err), store::spoken(task.id),
                            enumeration(overview.statuses[i].reasons)));
  }
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
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
  TRY_LET(const store::KeyRing keys, store::KeyRing::of_operator(world.environment));
  Story story(world, steps);
  const generate::Surroundings around = {
      .declaration = project.declaration,
      .repository = project.repository,
      .lock = lock,
      .keys = keys,
      .sandbox = !given.has("no-sandbox"),
      .clock = *world.clock,
      .observe = [&](const generate::Event& event) { story.tell(overview.graph, event); },
  };
  Result<generate::Changed> changed = run_plan(overview.graph, overview.statuses, steps, {}, around);
  story.end();
  if (!changed) return std::unexpected(std::move(changed).error());
  const std::string subject = steps.size() == 1
                                  ? fmt::format("vars: update via generator {} ({})",
                                                overview.graph.tasks[steps.front().task].id.generator,
                                                owner_text(overview.graph.tasks[steps.front().task].id.placement))
                                  : fmt::format("vars: update via {} generators", steps.size());
  TRY(hand_to_git(project, changed->folders, subject, given.has("commit"), world));
  return Exit::done;
}

}  // namespace

constinit const Command kVarsGenerate = {
    "vars generate",
    "make the values that are missing",
    "Runs the generators whose values do not exist yet, or whose 'validation' changed, each in a sandbox, and\n"
    "stores what they make encrypted. Nothing that exists is ever replaced without a word for it: what was made\n"
    "from an older script or other inputs is named and kept unless --stale is given. All files of one generator\n"
    "change together or not at all.",
    kParameters,
    run,
};

}  // namespace vmcred::app
