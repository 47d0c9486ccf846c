// vmcred vm list: the declared vms and whether they run.
#include "supervise/arrival.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vm/commands.h"
#include "vm/running.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

Result<Exit> run(const Given&, World& world) {
  declare::Declaration declaration;
  TRY_LET(const auto names, known_vms(world, declaration));
  std::vector<std::vector<std::string>> rows = {{"VM", "STATE", "PROOF", "MACHINE", "CREDENTIALS", "RUN BY"}};
  Json list = Json::array();
  for (const std::string& name : names) {
    const auto declared = declaration.vms.find(name);
    const bool known = declared != declaration.vms.end();
    // One of yours and one of root's may have the same name: each is a line.
    std::vector<RunningPlace> places = running_places(world, name);
    const bool runs = !places.empty();
    if (!runs) places.emplace_back();
    for (std::size_t i = 0; i < places.size(); ++i) {
      std::string state = "stopped";
      std::string proof = "-";
      if (runs) {
        const bool own = known && i == 0;
        Result<std::optional<supervise::Status>> status = std::nullopt;
        if (own)
          status = look_at_vm(declaration, declared->second, world);
        else if (auto other = status_at(places[i]))
          status = *std::move(other);
        else
          status = std::unexpected(std::move(other).error());
        if (!status) {
          state = status.error().code == Errc::denied ? "unknown (not yours)" : "unknown";
        } else if (*status) {
          state = supervise::state_name((*status)->state);
          proof = supervise::arrival_name(supervise::arrival_of(**status));
        }
      }
      rows.push_back({name, state, proof, known ? declared->second.machine : "(not declared here)",
                      known ? std::to_string(declared->second.credentials.size()) : "-", runs ? places[i].by : "-"});
      Json one = Json::object().set("vm", name).set("state", state).set("proof", proof).set("declared", known);
      if (runs) one.set("by", places[i].by);
      list.push(std::move(one));
    }
  }
  if (world.json) {
    answer_with(world, "vms", std::move(list));
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
    "Lists the vms of the declaration and those that run on this machine, and how sure it is that their guests work "
    "with\n"
    "what they were sent ('vmcred vm status' explains the moods).",
    {},
    run,
};

}  // namespace vmcred::app
