#include "vars/run_steps.h"

#include <unistd.h>

#include <algorithm>
#include <set>

#include "base/file.h"
#include "generate/prompts.h"
#include "generate/run.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "terminal/terminal.h"

namespace vmcred::app {
namespace {

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
      ++made_;
      answer_also(world_, "made", task_json(*event.task).set("files", Json::strings(event.files)));
      made_tasks_.insert(steps_[place_.at(graph.index.at(event.task->id))].task);
      const bool changed = !event.files.empty();
      text = fmt::format("{} {}{}\n", styled("made", Style::green, world_.color_err), store::spoken(event.task->id),
                         changed ? ": " + enumeration(event.files) : std::string());
      if (world_.verbose && !event.log.empty()) text += indented(event.log);
    } else {
      ++failed_;
      answer_also(world_, "failed", task_json(*event.task).set("error", event.reason).set("hint", event.remedy));
      // Of a single step the error at the end says why.
      const bool alone = steps_.size() == 1;
      if (!alone || !event.log.empty())
        text = fmt::format("{} {}\n", styled("failed", Style::red, world_.color_err), store::spoken(event.task->id));
      if (!alone && !event.reason.empty()) text += indented(event.reason);
      if (!event.log.empty()) text += indented(event.log);
      if (!alone && !event.remedy.empty()) text += indented("hint: " + event.remedy);
    }
    for (const std::string& warning : event.warnings) text += "  warning: " + warning + "\n";
    while (told_ < lines_.size() && !lines_[told_].empty()) say(lines_[told_++]);
  }

  /// What is left behind a step that never ran.
  void end() {
    for (; told_ < lines_.size(); ++told_) say(lines_[told_]);
    line_.clear();
  }

  /// After failures: what was not tried because of them, and how much is how.
  void sum_up(const generate::Graph& graph) const {
    for (std::size_t i = 0; i < steps_.size(); ++i)
      if (lines_[i].empty() && failed_ > 0 && steps_.size() > 1)
        answer_also(world_, "not_tried", task_json(graph.tasks[steps_[i].task]));
    if (failed_ == 0 || steps_.size() == 1) return;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
      if (!lines_[i].empty()) continue;
      const generate::Task& task = graph.tasks[steps_[i].task];
      const auto unmade = std::ranges::find_if(task.dependencies, [&](std::size_t needed) {
        return place_.contains(needed) && !made_tasks_.contains(needed);
      });
      note(world_, fmt::format("not tried: {}{}", store::spoken(task.id),
                               unmade == task.dependencies.end()
                                   ? ""
                                   : fmt::format(", which needs {}", store::spoken(graph.tasks[*unmade].id))));
    }
    note(world_, fmt::format("{} made, {} failed, {} not tried", made_, failed_, steps_.size() - made_ - failed_));
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
  std::set<std::size_t> made_tasks_;
  std::size_t made_ = 0;
  std::size_t failed_ = 0;
  StatusLine line_;
};

/// clan's words for whose value it is.
std::string subject_of(const std::vector<const generate::Task*>& made) {
  if (made.size() != 1) return fmt::format("vars: update via {} generators", made.size());
  const store::GeneratorId& id = made.front()->id;
  const char* kind = id.placement.sharing == declare::Sharing::per_vm ? "vm" : "machine";
  if (id.placement.owner.empty()) return fmt::format("vars: update via generator {} (shared)", id.generator);
  return fmt::format("vars: update via generator {} ({}: {})", id.generator, kind, id.placement.owner);
}

}  // namespace

std::string systemd_socket(const World& world) {
  if (::geteuid() == 0) return "/run/systemd/private";
  const std::string folder = world.env("XDG_RUNTIME_DIR");
  return folder.empty() ? "" : join_path(folder, "systemd/private");
}

Json task_json(const generate::Task& task) {
  return Json::object().set("generator", task.id.generator).set("owner", store::spoken(task.id.placement));
}

void answer_plan(const std::vector<generate::Step>& steps, const generate::Graph& graph, const World& world) {
  answer_with(world, "would_make", Json::array());
  for (const generate::Step& step : steps)
    answer_also(world, "would_make",
                task_json(graph.tasks[step.task]).set("why", step.why).set("only", Json::strings(step.files)));
}

Result<> carry_out(const Project& project, const Overview& overview, const std::vector<generate::Step>& steps,
                   const store::Lock& lock, const HowToRun& how, const World& world) {
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  TRY_LET(generate::AnswerSheet sheet, read_answers(how.answers));
  const std::vector<generate::Question> open = questions(overview.graph, steps);
  // With a sheet nobody is asked: what it lacks is named instead.
  const generate::Ask ask = how.answers.empty() && !open.empty() ? asker(world) : generate::Ask();
  TRY_LET(const generate::Answers answers,
          collect_answers(open, sheet, how.reuse_answers, project.repository, keys, ask));
  if (const std::vector<std::string> unused = sheet.unused(); !unused.empty())
    note(world, fmt::format("nobody asked for {}", enumeration(unused)));
  Story story(world, steps);
  const generate::Surroundings around = {
      .declaration = project.declaration,
      .repository = project.repository,
      .lock = lock,
      .keys = keys,
      .sandbox = how.sandbox,
      .systemd = systemd_socket(world),
      .clock = *world.clock,
      .observe = [&](const generate::Event& event) { story.tell(overview.graph, event); },
  };
  std::vector<store::VarId> inputs;
  for (const generate::Step& step : steps)
    for (const std::size_t needed : overview.graph.tasks[step.task].dependencies)
      for (const auto& [file, declared] : overview.graph.tasks[needed].generator->files)
        inputs.push_back({.generator = overview.graph.tasks[needed].id, .file = file});
  store::unlock(project.repository, inputs, keys);
  const generate::Changed changed = run_plan(overview.graph, overview.statuses, steps, answers, around);
  story.end();
  story.sum_up(overview.graph);
  // What was finished is in the store, so git gets it even when another one failed.
  const Result<> handed = hand_to_git(project, changed.folders, subject_of(changed.made), how.commit, world);
  return changed.result ? handed : changed.result;
}

}  // namespace vmcred::app
