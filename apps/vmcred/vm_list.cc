// vmcred vm list: the declared vms and whether they run.
#include <set>

#include "base/file.h"
#include "commands.h"
#include "project.h"
#include "terminal.h"
#include "vms.h"

namespace vmcred::app {
namespace {

/// Every name that is declared or has a runtime folder. Without a declaration the running ones are still worth a list.
Result<std::set<std::string>> all_names(const World& world, declare::Declaration& declaration) {
  std::set<std::string> names;
  auto loaded = load_project(world);
  if (loaded) {
    declaration = *std::move(loaded);
    for (const auto& [name, vm] : declaration.vms) names.insert(name);
  } else if (loaded.error().code != Errc::not_found) {
    return std::unexpected(std::move(loaded).error());
  }
  for (const std::string& root : supervise::runtime_roots(runtime_places(world))) {
    const auto found = list_folder(root);
    if (found) names.insert(found->begin(), found->end());  // no folder: nothing runs there
  }
  return names;
}

Result<Exit> run(const Given&, World& world) {
  declare::Declaration declaration;
  TRY_LET(const auto names, all_names(world, declaration));
  std::vector<std::vector<std::string>> rows = {{"VM", "STATE", "PROOF", "MACHINE", "CREDENTIALS"}};
  Json list = Json::array();
  for (const std::string& name : names) {
    auto status = running_status(world, name);
    std::string state = "stopped";
    std::string proof = "-";
    if (!status) {
      state = status.error().code == Errc::denied ? "unknown (not yours)" : "unknown";
    } else if (*status) {
      state = supervise::state_name((*status)->state);
      proof = (*status)->proven ? "proven" : "unproven";
    }
    const auto declared = declaration.vms.find(name);
    const bool known = declared != declaration.vms.end();
    rows.push_back({name, state, proof, known ? declared->second.machine : "(not declared here)",
                    known ? std::to_string(declared->second.credentials.size()) : "-"});
    list.push(Json::object().set("vm", name).set("state", state).set("proof", proof).set("declared", known));
  }
  if (world.json) {
    print(world, dump_json(Json::object().set("vms", std::move(list)), Indent::two_spaces));
  } else if (rows.size() == 1) {
    note(world, "no vm is declared and none runs");
  } else {
    print(world, table(rows, world.color_out));
  }
  return Exit::done;
}

}  // namespace

constinit const Command kVmList = {
    "vm list",
    "list the declared vms and whether they run",
    "Lists the vms of the declaration and those that run on this machine.",
    {},
    run,
};

}  // namespace vmcred::app
