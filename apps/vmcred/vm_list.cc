// vmcred vm list: the declared vms and whether they run.
#include "commands.h"
#include "running.h"
#include "supervise/arrival.h"
#include "terminal.h"
#include "vms.h"

namespace vmcred::app {
namespace {

Result<Exit> run(const Given&, World& world) {
  declare::Declaration declaration;
  TRY_LET(const auto names, known_vms(world, declaration));
  std::vector<std::vector<std::string>> rows = {{"VM", "STATE", "PROOF", "MACHINE", "CREDENTIALS"}};
  Json list = Json::array();
  for (const std::string& name : names) {
    const auto declared = declaration.vms.find(name);
    const bool known = declared != declaration.vms.end();
    auto status = known ? look_at_vm(declaration, declared->second, world) : running_status(world, name);
    std::string state = "stopped";
    std::string proof = "-";
    if (!status) {
      state = status.error().code == Errc::denied ? "unknown (not yours)" : "unknown";
    } else if (*status) {
      state = supervise::state_name((*status)->state);
      proof = supervise::arrival_name(supervise::arrival_of(**status));
    }
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
    "Lists the vms of the declaration and those that run on this machine, and how sure it is that their guests work with\n"
    "what they were sent ('vmcred vm status' explains the moods).",
    {},
    run,
};

}  // namespace vmcred::app
