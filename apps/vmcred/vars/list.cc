// vmcred vars list: all values and how they are.
#include <algorithm>

#include "base/json.h"
#include "store/former.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vars/commands.h"
#include "vars/judge.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"[MACHINE...]", "only what concerns these machines (default: everything)"},
};

/// What is shown of a value: open ones in one line, secrets never.
std::string shown(const Project& project, const store::VarId& id, const declare::File& file) {
  if (file.secret) return "********";
  const Result<std::string> text = project.repository.read_stored(id);
  if (!text) return "<unreadable>";
  std::string line = *text;
  while (line.ends_with('\n')) line.pop_back();
  const bool plain = std::ranges::all_of(line, [](unsigned char c) { return c >= 0x20 && c != 0x7f; });
  if (!plain) return fmt::format("<{} bytes>", text->size());
  constexpr std::size_t kWidest = 48;
  return line.size() > kWidest ? line.substr(0, kWidest) + "…" : line;
}

/// A value's state by the judgement that `vars check` prints as well: what is said of the file itself before what is
/// said of its generator.
struct Shown {
  std::string state;
  std::vector<std::string> reasons = {};
};

Shown state_of(const generate::Status& status, const std::vector<Fault>& faults, const std::string& file) {
  if (std::ranges::find(status.absent, file) != status.absent.end()) return {.state = "missing"};
  Shown shown;
  for (const std::string_view state : {"damaged", "signature", "readers"}) {
    for (const Fault& fault : faults)
      if (fault.state == state && (fault.file == file || fault.file.empty()) &&
          !(fault.state == "damaged" && status.damage))
        shown.reasons.push_back(fault.why);
    if (shown.reasons.empty()) continue;
    shown.state = state;
    return shown;
  }
  if (status.state == generate::State::partial) return {.state = "fresh", .reasons = {}};
  return {.state = std::string(generate::word(status.state)), .reasons = status.reasons};
}

std::string state_text(const Shown& shown, const generate::Status& status) {
  std::string text = shown.state;
  if (!shown.reasons.empty()) text += ": " + enumeration(shown.reasons);
  if (status.due && shown.state != "missing") text += ", due for rotation";
  return text;
}

/// Who could read the present value; a damaged memory of it is 'vars check's to tell.
std::map<std::string, std::string> former_of(const Project& project, const store::VarId& id) {
  const auto folder = store::GeneratorFolder::open(project.repository, id.generator);
  if (!folder) return {};
  return store::former_readers(*folder, id.file).value_or(std::map<std::string, std::string>());
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project_with_scripts(world, named_machines(given, world)));
  TRY_LET(const std::vector<std::string> machines, declared_machines(given, world, project.declaration));
  TRY_LET(const Judgement judgement, judge(project, {.machines = machines}, world));
  std::vector<std::vector<std::string>> rows = {{"VAR", "OF", "VALUE", "STATE"}};
  Json list = Json::array();
  for (const store::Wanted& value : store::wanted(project.declaration)) {
    const std::size_t index = judgement.graph.index.at(value.id.generator);
    const generate::Status& status = judgement.statuses[index];
    if (!generate::concerns(judgement.graph.tasks[index], project.declaration, machines)) continue;
    const Shown state = state_of(status, judgement.faults[index], value.id.file);
    const bool absent = state.state == "missing";
    const std::string name = fmt::format("{}/{}", value.id.generator.generator, value.id.file);
    const std::string owner = store::spoken(value.id.generator.placement);
    const std::map<std::string, std::string> former =
        absent ? std::map<std::string, std::string>() : former_of(project, value.id);
    if (world.json) {
      Json item = Json::object();
      item.set("var", name);
      item.set("owner", owner);
      item.set("secret", value.file->secret);
      item.set("deploy", value.file->deploy);
      item.set("state", state.state);
      item.set("reasons", Json::strings(absent ? status.reasons : state.reasons));
      if (!former.empty()) {
        Json readers = Json::array();
        for (const auto& [who, until] : former) readers.push(Json::object().set("who", who).set("until", until));
        item.set("readable", std::move(readers));
      }
      list.push(std::move(item));
    } else {
      rows.push_back({name, owner, absent ? "" : shown(project, value.id, *value.file),
                      state_text(state, status) + (former.empty() ? "" : ", " + store::former_text(former))});
    }
  }
  if (machines.empty()) {
    TRY_LET(const std::vector<store::VarId> orphans,
            generate::orphans(judgement.graph, judgement.statuses, project.repository));
    for (const store::VarId& id : orphans) {
      const std::string name = fmt::format("{}/{}", id.generator.generator, id.file);
      const std::string owner = store::spoken(id.generator.placement);
      rows.push_back({name, owner, "", "orphan: it is no longer declared"});
      list.push(Json::object().set("var", name).set("owner", owner).set("state", "orphan"));
    }
  }
  if (world.json) {
    answer_with(world, "vars", std::move(list));
  } else if (rows.size() == 1) {
    note(world, "no vars are declared");
  } else {
    print(world, table(rows, world.color_out));
  }
  return Exit::done;
}

}  // namespace

constinit const Command kVarsList = {
    "vars list",
    "show all vars and whether they are fresh, stale, missing, damaged or orphaned",
    "Lists every value with its owner and state, by the judgement of 'vars check', and why it is stale or damaged,\n"
    "or read by others than its links say. Secrets are shown as stars;\n"
    "'vmcred vars get' prints one. Needs no private key.",
    kParameters,
    run,
};

}  // namespace vmcred::app
