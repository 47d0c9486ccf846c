// vmcred vars check: what is missing, stale, or readable by others than it should be.
#include <algorithm>
#include <iterator>

#include "base/json.h"
#include "generate/spoken.h"
#include "project/project.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vars/commands.h"
#include "vars/judge.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"[MACHINE...]", "only what concerns these machines (default: everything)"},
    {"-g,--generator NAME...", "only this generator"},
};

/// One cause in one line: what an edit of a script made stale for many owners, a key.json that many secrets need.
std::vector<std::vector<std::string>> rows_of(const std::vector<Fault>& found) {
  std::vector<std::vector<std::string>> rows;
  std::vector<bool> told(found.size(), false);
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (told[i]) continue;
    const Fault& one = found[i];
    std::vector<const generate::Task*> tasks = {one.task};
    std::size_t others = 0;
    for (std::size_t k = i + 1; k < found.size(); ++k) {
      const Fault& next = found[k];
      if (next.state != one.state || next.why != one.why || one.why.empty()) continue;
      const bool same_script =
          one.task != nullptr && next.task != nullptr && one.task->generator == next.task->generator;
      const bool same_file = one.state == "damaged" && next.what != one.what;
      if (!same_script && !same_file) continue;
      told[k] = true;
      ++others;
      tasks.push_back(next.task);
    }
    const std::string what = others == 0           ? one.what
                             : one.task != nullptr ? generate::spoken(tasks)
                                                   : fmt::format("{} and {} more", one.what, others);
    rows.push_back({one.state, what, one.why});
  }
  return rows;
}

/// The table, and below it what helps.
void tell(const std::vector<Fault>& found, const World& world) {
  constexpr std::size_t kMostRemedies = 4;
  print(world, table(rows_of(found)));
  std::vector<std::string> remedies;
  const auto add = [&](const std::string& remedy) {
    if (!remedy.empty() && std::ranges::find(remedies, remedy) == remedies.end()) remedies.push_back(remedy);
  };
  for (const Fault& one : found) add(one.remedy);
  if (remedies.size() > kMostRemedies) remedies.resize(kMostRemedies);
  if (std::ranges::any_of(found, [](const Fault& one) { return one.state == "stale"; }))
    add("'vmcred vars generate --stale' makes what is stale anew");
  for (const std::string& remedy : remedies) note(world, "hint: " + remedy);
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project_with_scripts(world, named_machines(given, world)));
  Selection asked;
  TRY_LET(asked.machines, declared_machines(given, world, project.declaration));
  TRY_LET(asked.generators, declared_generators(given, project.declaration));
  TRY_LET(Judgement judgement, judge(project, asked, world));
  std::vector<Fault> found;
  for (std::vector<Fault>& each : judgement.faults) std::ranges::move(each, std::back_inserter(found));
  if (asked.everything()) {
    TRY_LET(const std::vector<store::VarId> orphans,
            generate::orphans(judgement.graph, judgement.statuses, project.repository));
    for (const store::VarId& id : orphans)
      found.push_back({"orphan", store::spoken(id), "it is stored and no longer declared"});
    TRY_LET(std::vector<Fault> others, judge_others(project, orphans));
    std::ranges::move(others, std::back_inserter(found));
  }
  const std::size_t values = judgement.values;
  if (world.json) {
    Json list = Json::array();
    for (const Fault& one : found) {
      Json item = Json::object();
      item.set("state", one.state);
      item.set("what", one.what);
      item.set("why", one.why);
      list.push(std::move(item));
    }
    answer_with(world, "findings", std::move(list));
    answer_with(world, "values", values);
  } else if (found.empty()) {
    print(world, values == 0   ? "no vars are declared\n"
                 : values == 1 ? "the one value is there and as it should be\n"
                               : fmt::format("all {} values are there and as they should be\n", values));
  } else {
    tell(found, world);
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
    "demanded, what nobody you trust has signed. Without MACHINE and -g that includes what is no var: the\n"
    "keys of machines and other secrets below sops/secrets, and clan's exports.\n"
    "Secrets that did not change since the last run are not read again (~/.cache/vmcred/readers). Needs no\n"
    "private key. Exit code 3 when there is something to say.",
    kParameters,
    run,
};

}  // namespace vmcred::app
