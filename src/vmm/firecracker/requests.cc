#include "vmm/firecracker/requests.h"

#include <algorithm>

namespace vmcred::vmm::firecracker {
namespace {

Request action(std::string_view name) { return put("/actions", Json::object().set("action_type", name)); }

}  // namespace

Request put(std::string path, const Json& body) {
  return {.method = "PUT", .path = std::move(path), .body = {dump_json(body)}};
}

Request put_boot_source(Json source, const std::string& line, const credential::Plan& plan) {
  source.set("boot_args", line);
  if (plan.kernel_line.empty()) return put("/boot-source", source);
  std::string text = dump_json(source);
  text.resize(text.size() - 2);  // the words follow inside boot_args, the last member
  Request request = {.method = "PUT", .path = "/boot-source"};
  for (const credential::OemEntry& entry : plan.kernel_line) {
    request.body.push_back(text + " ");
    request.body.push_back(KernelWord{entry});
    text.clear();
  }
  request.body.push_back("\"}");
  return request;
}

void add_start_and_stop(Launch& launch, const declare::Vm& vm) {
  launch.version = {.path = "/", .member = "vmm_version"};
  launch.requests.push_back(action("InstanceStart"));
  launch.power_request = action("SendCtrlAltDel");
  // A guest's reboot ends it with 0, on x86 its power-off does not end it at all (v1.16).
  launch.exit_tells = ExitTells::reset;
  launch.ends_by_reboot = vm.architecture == "x86_64";
}

void add_guard(Launch& launch, std::string path, const Context& context) {
  launch.guards.push_back({Guard::Protocol::rest, std::move(path)});
  launch.guard_rules.allowed = {"GET /",         "GET /version", "GET /machine-config", "GET /vm/config",
                                "PUT /actions",  "PATCH /vm",    "GET /balloon",        "GET /balloon/statistics",
                                "PATCH /balloon"};
  launch.guard_rules.hidden = {"boot_args"};
  launch.guard_rules.power = "PUT /actions";
  launch.guard_rules.power_word = "SendCtrlAltDel";
  launch.guard_rules.error_member = "fault_message";
  if (std::ranges::find(context.exposed, Exposure::snapshot) != context.exposed.end()) {
    launch.guard_rules.allowed.emplace_back("PUT /snapshot/create");
  }
}

}  // namespace vmcred::vmm::firecracker
