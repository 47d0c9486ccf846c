// A picture as JSON; the page carries the same.
#include <algorithm>
#include <array>

#include "chain/explain/view.h"
#include "chain/report.h"

namespace vmcred::chain::explain {
namespace {

Json numbers(const std::vector<std::size_t>& values) {
  Json list = Json::array();
  for (const std::size_t value : values) list.push(value);
  return list;
}

void set_var(const Chain& chain, Json& json) {
  json.set("generator", chain.generator).set("file", chain.file).set("owner", chain.owner).set("var", chain.var);
  if (!chain.made_from.empty()) json.set("made_from", Json::strings(chain.made_from));
  const SeenVar& seen = chain.seen;
  if (!seen.state.empty()) json.set("state", seen.state);
  if (!seen.reasons.empty()) json.set("reasons", Json::strings(seen.reasons));
  if (seen.due) json.set("due", true);
  if (!seen.made.empty()) json.set("made", seen.made);
  if (seen.form == store::Form::open) json.set("plain", true);
  if (!seen.readers.empty()) json.set("readers", Json::strings(seen.readers));
  if (seen.activated) json.set("activated", *seen.activated);
}

Json marks_json(const std::vector<Mark>& marks) {
  Json list = Json::array();
  for (const Mark& mark : marks)
    list.push(Json::object().set("finding", mark.finding).set("step", step_name(mark.step)));
  return list;
}

std::string_view mood_name(Mood mood) {
  static constexpr std::array<std::string_view, 6> kNames = {"fine",  "arrived", "unknown",
                                                             "older", "warning", "broken"};
  return kNames.at(static_cast<std::size_t>(mood));
}

Json steps_json(const Picture& picture, const Chains& vm, const Chain& chain) {
  Json steps = Json::object();
  for (const Station& station : stations(picture, vm, chain))
    steps.set(std::string(step_name(station.step)), mood_name(station.mood));
  return steps;
}

Json chain_json(const Picture& picture, const Chains& vm, const Chain& chain) {
  static constexpr std::array<std::string_view, 4> kOrigins = {"var", "file", "static", "none"};
  Json json = Json::object();
  json.set("name", chain.name).set("origin", kOrigins.at(static_cast<std::size_t>(chain.origin)));
  if (chain.origin == Origin::var) set_var(chain, json);
  if (!chain.host.empty()) json.set("host", chain.host);
  if (!chain.source.empty()) json.set("source", chain.source);
  json.set("channel", chain.channel.empty() ? Json() : Json(chain.channel));
  if (chain.container) json.set("container", *chain.container);
  if (chain.size) json.set("size", *chain.size).set("bytes_used", chain.used);
  json.set("bytes_allowed", chain.allowed);
  if (!chain.refused.empty()) json.set("refused", chain.refused);
  json.set("guest", chain.guest);
  Json services = Json::array();
  for (const Consumer& each : chain.consumers) {
    Json service = Json::object().set("service", each.service).set("id", each.id);
    if (!each.state.empty()) service.set("state", each.state);
    services.push(std::move(service));
  }
  json.set("services", std::move(services)).set("on_change", chain.on_change);
  if (vm.running) json.set("mood", supervise::arrival_name(chain.arrival));
  if (!chain.received.empty()) json.set("received", chain.received).set("received_size", chain.received_size);
  json.set("steps", steps_json(picture, vm, chain));
  if (!chain.marks.empty()) json.set("findings", marks_json(chain.marks));
  return json;
}

Json vm_json(const Picture& picture, const Chains& vm) {
  Json json = Json::object();
  json.set("vm", vm.vm).set("machine", vm.machine).set("hypervisor", vm.hypervisor);
  if (!vm.hardware.empty()) json.set("hardware", vm.hardware);
  json.set("guest_systemd", vm.guest_systemd).set("agent", vm.agent).set("unit", vm.unit);
  if (vm.running) {
    json.set("state", supervise::state_name(vm.running->state)).set("detail", vm.running->detail);
    json.set("mood", supervise::arrival_name(supervise::arrival_of(*vm.running)));
    json.set("mood_text", supervise::arrival_text(*vm.running));
    json.set("proven", vm.running->proven).set("generation", static_cast<std::int64_t>(vm.running->generation));
    json.set("expected_generation", static_cast<std::int64_t>(vm.running->expected_generation));
  }
  Json containers = Json::array();
  for (const Container& each : vm.containers) {
    Json one = Json::object().set("channel", each.channel).set("name", each.name).set("used", each.used);
    if (each.allowed > 0) one.set("allowed", each.allowed);
    containers.push(std::move(one));
  }
  Json chains = Json::array();
  for (const Chain& chain : vm.chains) chains.push(chain_json(picture, vm, chain));
  json.set("containers", std::move(containers)).set("credentials", std::move(chains));
  if (!vm.loose.empty()) {
    Json loose = Json::array();
    for (const LooseLine& line : vm.loose)
      loose.push(Json::object().set("service", line.service).set("id", line.id).set("guest", line.guest));
    json.set("loose", std::move(loose));
  }
  if (!vm.findings.empty()) json.set("findings", numbers(vm.findings));
  return json;
}

}  // namespace

Json picture_json(const Picture& picture) {
  Json json = Json::object();
  json.set("folder", picture.folder);
  json.set("generation", picture.generation ? Json(static_cast<std::int64_t>(*picture.generation)) : Json());
  Json vms = Json::array();
  for (const Chains& vm : picture.vms) vms.push(vm_json(picture, vm));
  const Json findings = findings_json(picture.findings);
  json.set("vms", std::move(vms))
      .set("findings", *findings.find("findings"))
      .set("elsewhere", numbers(picture.elsewhere));
  return json;
}

}  // namespace vmcred::chain::explain
