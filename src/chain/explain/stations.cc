// The steps of a chain in words.
#include <fmt/format.h>

#include <algorithm>

#include "chain/explain/view.h"
#include "declare/names.h"

namespace vmcred::chain::explain {
namespace {

std::string bytes_of(std::size_t size) { return fmt::format("{} byte{}", size, size == 1 ? "" : "s"); }

Station generator_station(const Chain& chain) {
  Station station{
      .step = Step::generator, .name = chain.generator, .mood = Mood::fine, .onward = "vmcred vars generate"};
  if (chain.origin == Origin::fixed) {
    station.name = "static value";
    station.says = {"stands in the declaration, no secret"};
    station.onward = {};
    return station;
  }
  station.says.push_back(fmt::format("makes the file '{}' ({})", chain.file, chain.owner));
  if (!chain.made_from.empty()) station.says.push_back("reads " + listed(chain.made_from));
  return station;
}

Mood mood_of_store(const SeenVar& seen) {
  if (seen.state == "missing" || seen.state == "invalid") return Mood::broken;
  if (seen.state.empty()) return Mood::unknown;
  return seen.due || seen.state == "stale" ? Mood::warning : Mood::fine;
}

Station store_station(const Chain& chain) {
  const SeenVar& seen = chain.seen;
  Station station{
      .step = Step::store, .name = "vars/" + chain.var, .mood = mood_of_store(seen), .onward = "vmcred activate"};
  std::string state = seen.state.empty() ? "its state is not known" : seen.state;
  if (!seen.reasons.empty()) state += " because " + listed(seen.reasons);
  if (seen.due) state += ", due for rotation";
  if (!seen.made.empty()) state += ", made " + seen.made.substr(0, 10);
  if (seen.size) state += ", " + bytes_of(*seen.size);
  station.says.push_back(std::move(state));
  if (seen.form == store::Form::open) station.says.push_back("stored as plain text");
  if (!seen.readers.empty()) station.says.push_back("read by " + listed(seen.readers));
  return station;
}

Station host_station(const Picture& picture, const Chains& vm, const Chain& chain) {
  Station station{
      .step = Step::host, .name = chain.host, .onward = "base64, without a copy on disk or on a command line"};
  if (chain.origin == Origin::none) {
    station.mood = Mood::broken;
    station.says.push_back(fmt::format("{} loads nothing of that name", vm.unit));
    return station;
  }
  station.says.push_back(fmt::format("{}: LoadCredential={}:{}", vm.unit, chain.host, chain.source));
  if (chain.origin == Origin::file) {
    station.mood = chain.size ? Mood::fine : Mood::unknown;
    station.says.push_back(chain.size ? bytes_of(*chain.size) + " on this machine" : "not on this machine");
  } else if (!picture.generation) {
    station.says.push_back("nothing is activated on this machine");
  } else {
    const bool there = chain.seen.activated.value_or(false);
    station.mood = there ? Mood::fine : Mood::unknown;
    station.says.push_back(there ? fmt::format("activated in generation {}", *picture.generation)
                                 : fmt::format("not in generation {}, which is activated here", *picture.generation));
  }
  return station;
}

Station channel_station(const Chains& vm, const Chain& chain) {
  Station station{.step = Step::channel, .name = chain.channel.empty() ? "no channel" : chain.channel};
  if (!chain.refused.empty() || chain.channel.empty()) {
    station.mood = Mood::broken;
    station.says.push_back(chain.refused.empty() ? fmt::format("{} cannot deliver it", vm.hypervisor) : chain.refused);
    return station;
  }
  station.mood = chain.size ? Mood::fine : Mood::unknown;
  const Container* container = chain.container ? &vm.containers.at(*chain.container) : nullptr;
  if (container != nullptr && container->name != chain.channel) station.name += ", " + container->name;
  station.says.push_back(chain.size ? fmt::format("{} of {} bytes", chain.used, chain.allowed)
                                    : fmt::format("its size is not known; {} bytes are allowed", chain.allowed));
  if (container != nullptr && container->allowed > 0)
    station.says.push_back(
        fmt::format("{} in all: {} of {} bytes", container->name, container->used, container->allowed));
  if (chain.channel == "smbios" || chain.channel == "api")
    station.onward = chain.origin == Origin::fixed
                         ? fmt::format("OEM string io.systemd.credential:{}=…", chain.guest)
                         : fmt::format("OEM string io.systemd.credential.binary:{}=BASE64", chain.guest);
  if (chain.channel == "fw_cfg") station.onward = fmt::format("opt/io.systemd.credentials/{}", chain.guest);
  if (chain.channel == "reference") station.onward = "fetched by vmcred-guest against a one-time token";
  if (chain.channel == "initrd") station.onward = fmt::format("/.extra/system_credentials/{}.cred", chain.guest);
  return station;
}

bool behind(const Chains& vm) { return vm.running && vm.running->generation < vm.running->expected_generation; }

Station guest_station(const Chains& vm, const Chain& chain) {
  Station station{.step = Step::guest, .name = chain.guest, .onward = "LoadCredential="};
  if (!chain.host.empty() && declare::guest_name_of(chain.host) == chain.guest)
    station.says.push_back(fmt::format("'{}' without its 'host-', '-' as '_', in upper case", chain.host));
  if (chain.received.empty()) {
    station.says.push_back(vm.running ? "the vm runs, no receipt names it" : "the vm does not run here");
    return station;
  }
  const std::string size = bytes_of(chain.received_size);
  switch (chain.arrival) {
    case supervise::Arrival::proven:
      station.mood = Mood::fine;
      station.says.push_back(
          fmt::format("proven: received, {}, byte for byte; generation {}", size, vm.running->generation));
      break;
    case supervise::Arrival::arrived:
      station.mood = Mood::arrived;
      station.says.push_back(
          fmt::format("arrived: received, {}, byte for byte; generation {}; that a service runs with it is not proven",
                      size, vm.running->generation));
      break;
    case supervise::Arrival::older:
      station.mood = Mood::older;
      station.says.push_back(fmt::format("older than the store: the guest holds a former value, {}; generation {}",
                                         size, vm.running->generation));
      station.says.push_back(fmt::format("'vmcred vm refresh {}' brings the newer", vm.vm));
      break;
    case supervise::Arrival::unknown:
    case supervise::Arrival::broken:
      station.mood = Mood::broken;
      station.says.push_back(fmt::format("{}, {}", chain.received, size));
  }
  if (behind(vm)) {
    station.mood = std::max(station.mood, Mood::warning);
    station.says.push_back(fmt::format("the guest should hold generation {}", vm.running->expected_generation));
  }
  return station;
}

Station service_station(const Chain& chain) {
  Station station{.step = Step::service};
  if (chain.consumers.empty()) {
    const bool known = chain.guest.find('.') != std::string::npos;
    station.name = known ? "systemd" : "nobody";
    station.mood = known ? Mood::fine : Mood::unknown;
    station.says.push_back(known ? "reads it by its well-known name" : "no guest service loads it");
    return station;
  }
  station.mood = Mood::fine;
  for (const Consumer& each : chain.consumers) {
    station.name += (station.name.empty() ? "" : ", ") + each.service;
    station.says.push_back(fmt::format("{}.service: LoadCredential={}:{}, read at $CREDENTIALS_DIRECTORY/{}",
                                       each.service, each.id, chain.guest, each.id));
    if (each.state.empty()) continue;
    station.says.push_back(fmt::format("{}.service is {}", each.service, each.state));
    station.mood = std::max(station.mood, mood_of(each, Mood::fine));
  }
  if (chain.on_change == "restart") station.says.push_back("restarted when it changes");
  if (chain.on_change == "reload") station.says.push_back("reloaded when it changes");
  if (chain.on_change.starts_with("signal "))
    station.says.push_back(fmt::format("gets SIG{} when it changes", chain.on_change.substr(7)));
  return station;
}

}  // namespace

Mood mood_of(const Consumer& consumer, Mood station) {
  if (consumer.state.empty()) return station;
  if (consumer.state == "failed") return Mood::broken;
  if (consumer.state == supervise::kAbsent) return Mood::warning;
  return supervise::runs(consumer.state) ? Mood::fine : Mood::unknown;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

std::string hardware_of(const Chains& vm) {
  return fmt::format("{}{}{}, guest systemd {}", vm.hypervisor, vm.hardware.empty() ? "" : " ", vm.hardware,
                     vm.guest_systemd);
}

std::string running_of(const Chains& vm) {
  if (!vm.running) return "not running here";
  std::string text(supervise::state_name(vm.running->state));
  if (!vm.running->detail.empty()) text += fmt::format(" ({})", vm.running->detail);
  if (vm.running->supervisor == 0) return text;
  const supervise::Arrival arrival = supervise::arrival_of(*vm.running);
  text += arrival == supervise::Arrival::proven ? ", every credential proven"
                                                : fmt::format(", {}", supervise::arrival_name(arrival));
  return text + fmt::format(", generation {}", vm.running->generation);
}

std::vector<Station> stations(const Picture& picture, const Chains& vm, const Chain& chain) {
  std::vector<Station> all;
  if (chain.origin == Origin::var || chain.origin == Origin::fixed) all.push_back(generator_station(chain));
  if (chain.origin == Origin::var) all.push_back(store_station(chain));
  if (chain.origin != Origin::fixed) all.push_back(host_station(picture, vm, chain));
  all.push_back(channel_station(vm, chain));
  all.push_back(guest_station(vm, chain));
  all.push_back(service_station(chain));
  for (const Mark& mark : chain.marks) {
    const Level level = picture.findings.at(mark.finding).level;
    if (level == Level::note) continue;
    const Mood mood = level == Level::error ? Mood::broken : Mood::warning;
    auto at = std::ranges::find(all, mark.step, &Station::step);
    if (at == all.end()) at = all.begin();
    at->mood = std::max(at->mood, mood);
  }
  return all;
}

}  // namespace vmcred::chain::explain
