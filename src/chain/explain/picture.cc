#include "chain/explain/picture.h"

#include <algorithm>
#include <array>

#include "base/spelling.h"
#include "chain/explain/marks.h"
#include "credential/plan.h"
#include "declare/words.h"
#include "unit/host.h"

namespace vmcred::chain::explain {
namespace {

using declare::Credential;
using declare::Declaration;
using declare::Vm;

void add_origin(const Declaration& declaration, const Seen& seen, const Vm& vm, const Credential& credential,
                Chain& chain) {
  if (const auto* path = std::get_if<std::string>(&credential.from)) {
    chain.origin = Origin::file;
    chain.source = *path;
    if (const auto size = seen.files.find(*path); size != seen.files.end()) chain.size = size->second;
  }
  const auto* ref = std::get_if<declare::VarRef>(&credential.from);
  if (ref == nullptr) return;
  chain.origin = Origin::var;
  chain.generator = ref->generator;
  chain.file = ref->file;
  const auto generator = declaration.generators.find(ref->generator);
  if (generator != declaration.generators.end()) chain.made_from = generator->second.dependencies;
  const auto id = store::resolve_for_vm(declaration, *ref, vm);
  if (!id) return;
  chain.owner = store::spoken(id->generator.placement);
  chain.var = store::rel_path(*id);
  chain.source = unit::Host{}.vars + "/" + chain.var;
  if (const auto found = seen.vars.find(*id); found != seen.vars.end()) chain.seen = found->second;
  chain.size = chain.seen.size;
}

std::string change_of(const Credential& credential) {
  if (credential.on_change == declare::OnChange::signal) return "signal " + credential.on_change_signal;
  return std::string(declare::word(credential.on_change));
}

Chain chain_of(const Declaration& declaration, const Seen& seen, const Vm& vm, const Credential& credential) {
  Chain chain{
      .name = credential.name, .host = credential.host, .guest = credential.guest, .on_change = change_of(credential)};
  if (!credential.host.empty()) chain.origin = Origin::none;
  if (credential.static_value && credential.host.empty()) chain.size = credential.static_value->size();
  add_origin(declaration, seen, vm, credential, chain);
  for (const auto& [name, service] : vm.services)
    for (const auto& [id, guest] : service.load_credential)
      if (guest == credential.guest) chain.consumers.push_back({.service = name, .id = id});
  return chain;
}

std::map<std::string, std::size_t> sizes_of(const Chains& vm) {
  std::map<std::string, std::size_t> sizes;
  for (const Chain& chain : vm.chains)
    if (!chain.host.empty() && chain.size) sizes[chain.host] = *chain.size;
  return sizes;
}

/// The structures of the plan, and one container for each other channel.
void add_containers(const credential::Plan& plan, Chains& vm) {
  std::map<std::string, std::size_t> of_guest;
  const auto first_channel = [&](const std::string& guest) {
    const auto entry = std::ranges::find(plan.entries, guest, &credential::Entry::guest);
    return entry == plan.entries.end() || !entry->channel ? std::string()
                                                          : std::string(credential::channel_name(*entry->channel));
  };
  for (std::size_t i = 0; i < plan.structures.size(); ++i) {
    Container container{.name = fmt::format("structure {}", i + 1), .used = plan.structures[i].raw_size};
    if (i < plan.budgets.size()) container.allowed = plan.budgets[i].allowed;
    for (const credential::OemEntry& entry : plan.structures[i].entries) {
      of_guest[entry.guest] = vm.containers.size();
      if (container.channel.empty()) container.channel = first_channel(entry.guest);
    }
    vm.containers.push_back(std::move(container));
  }
  for (Chain& chain : vm.chains) {
    if (chain.channel.empty()) continue;
    const auto structure = of_guest.find(chain.guest);
    if (structure != of_guest.end()) {
      chain.container = structure->second;
      continue;
    }
    auto place = std::ranges::find_if(vm.containers, [&](const Container& each) { return each.name == chain.channel; });
    if (place == vm.containers.end())
      place = vm.containers.insert(place, {.channel = chain.channel, .name = chain.channel});
    place->used += chain.used;
    chain.container = static_cast<std::size_t>(place - vm.containers.begin());
  }
}

void add_plan(const Vm& declared, Chains& vm) {
  if (declared.credentials.empty()) return;
  const auto sizes = sizes_of(vm);
  const credential::Plan plan =
      credential::make_plan({.vm = declared, .sizes = sizes, .with_link = vm.agent, .with_reference = vm.agent});
  for (Chain& chain : vm.chains) {
    const auto entry = std::ranges::find(plan.entries, chain.guest, &credential::Entry::guest);
    if (entry == plan.entries.end()) continue;
    if (entry->channel) chain.channel = credential::channel_name(*entry->channel);
    chain.used = entry->size_known ? entry->bytes_used : 0;
    chain.allowed = entry->bytes_allowed;
    chain.refused = entry->refused;
  }
  add_containers(plan, vm);
}

void add_receipts(Chains& vm) {
  if (!vm.running) return;
  for (const supervise::ReceiptLine& line : vm.running->receipts) {
    const auto chain = std::ranges::find(vm.chains, line.guest, &Chain::guest);
    if (chain == vm.chains.end()) continue;
    chain->received = line.state;
    chain->arrival = supervise::arrival_of(line);
    chain->received_size = line.size;
    for (Consumer& each : chain->consumers) {
      const auto service = std::ranges::find(line.services, each.service + ".service", &supervise::ServiceLine::unit);
      if (service != line.services.end()) each.state = service->state;
    }
  }
}

/// Lines that ask for what the vm does not receive; absolute paths are the guest's own business.
void add_loose(const Vm& declared, Chains& vm) {
  for (const auto& [name, service] : declared.services) {
    for (const auto& [id, guest] : service.load_credential) {
      if (guest.starts_with('/') || std::ranges::find(vm.chains, guest, &Chain::guest) != vm.chains.end()) continue;
      vm.loose.push_back({name, id, guest});
    }
  }
}

Chains chains_of(const Declaration& declaration, const Seen& seen, const Vm& declared) {
  Chains vm{.vm = declared.name,
            .machine = declared.machine,
            .hypervisor = std::string(declare::word(declared.hypervisor)),
            .hardware = declared.hypervisor == declare::Hypervisor::qemu ? declared.qemu_machine : "",
            .guest_systemd = declared.guest.systemd,
            .agent = declared.guest.agent,
            .unit = unit::unit_name_of(declared.name)};
  for (const Credential& credential : declared.credentials)
    vm.chains.push_back(chain_of(declaration, seen, declared, credential));
  // Those of one generator together, so that a drawing needs few crossings.
  std::ranges::stable_sort(vm.chains, {}, [](const Chain& chain) { return std::pair(chain.origin, chain.generator); });
  add_plan(declared, vm);
  if (const auto running = seen.running.find(declared.name); running != seen.running.end())
    vm.running = running->second;
  add_receipts(vm);
  add_loose(declared, vm);
  return vm;
}

}  // namespace

std::string_view step_name(Step step) {
  static constexpr std::array<std::string_view, kSteps> kNames = {"generator", "store", "host",
                                                                  "channel",   "guest", "service"};
  return kNames.at(static_cast<std::size_t>(step));
}

Result<Picture> picture(const Declaration& declaration, const Seen& seen, std::vector<Finding> findings,
                        const std::string& vm) {
  if (!vm.empty() && !declaration.vms.contains(vm)) {
    std::vector<std::string> names;
    for (const auto& [name, declared] : declaration.vms) names.push_back(name);
    return hint(fail(Errc::not_found, "no vm '{}' in '{}'", vm, declaration.file), near_or_known(vm, names));
  }
  Picture whole{.folder = declaration.folder, .generation = seen.generation};
  for (const auto& [name, declared] : declaration.vms)
    if (vm.empty() || name == vm) whole.vms.push_back(chains_of(declaration, seen, declared));
  place_findings(declaration, std::move(findings), whole);
  return whole;
}

}  // namespace vmcred::chain::explain
