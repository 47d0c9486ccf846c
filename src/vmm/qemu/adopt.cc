#include "vmm/qemu/adopt.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "vmm/foreign.h"
#include "vmm/qemu/arguments.h"
#include "vmm/qemu/delivery.h"
#include "vmm/qemu/guard.h"
#include "vmm/qemu/option_words.h"
#include "vmm/qemu/properties.h"

namespace vmcred::vmm::qemu {
namespace {

constexpr std::string_view kSystem = "qemu-system-";

/// What the supervisor does itself: stopping and starting the vm, ending QEMU when the guest has powered off, and being
/// the service. These words go, and what they are there for is done.
constexpr std::array<std::string_view, 3> kOurs = {"S", "no-shutdown", "daemonize"};

AllowedOptions allowed_in(const declare::Vm& vm) {
  std::vector<std::string> words = vm.allowed_options;
  words.insert(words.end(), kOurs.begin(), kOurs.end());
  return AllowedOptions(words);
}

Failure conflict(std::string_view option, std::string_view why, std::string_view remedy) {
  return qemu::conflict(Origin::command_line, option, why, remedy);
}

Result<std::vector<GivenOption>> options_of(const Foreign& foreign, const declare::Vm& vm) {
  return read_options(std::span(foreign.argv).subspan(1), allowed_in(vm), Origin::command_line);
}

bool is_machine(const GivenOption& option) { return option.name == "machine" || option.name == "M"; }

/// The machine type as vmcred names it, from QEMU's name with or without a version; "" when it is another.
std::string known_machine(std::string_view type) {
  type = type.substr(0, type.find('+'));  // Proxmox: "q35+pve0"
  if (type == "q35" || type.starts_with("pc-q35-")) return "q35";
  if (type == "pc" || type.starts_with("pc-i440fx-")) return "pc";
  if (type == "microvm") return "microvm";
  if (type == "virt" || type.starts_with("virt-")) return "virt";
  return {};
}

Result<> check_conflicts(std::span<const GivenOption> options, const AllowedOptions& allowed,
                         const credential::Plan& plan) {
  for (const GivenOption& option : options) {
    TRY(check_value(option, allowed, Origin::command_line));
    if (option.name == "append") TRY(check_kernel_line(option.value));
    if (option.name == "fw_cfg" && option.value.contains("io.systemd.credentials/")) {
      const std::string name = property(option.value, "name").value_or(property(option.value, "").value_or(""));
      const std::string guest = name.substr(name.rfind('/') + 1);
      if (property(option.value, "string")) {
        return conflict("fw_cfg",
                        fmt::format("the value of '{}' stands on the command line, where everybody reads it", guest),
                        "declare it as a credential of the vm");
      }
      if (std::ranges::find(plan.entries, guest, &credential::Entry::guest) != plan.entries.end()) {
        return conflict("fw_cfg", fmt::format("'{}' would arrive twice, and systemd keeps one", guest),
                        "remove one of the two");
      }
    }
  }
  return {};
}

/// The words that go, by index, and the guards that come for them.
struct Monitors {
  std::vector<bool> dropped;
  std::vector<Guard> guards;
  void drop(const GivenOption& option) {
    dropped[option.index] = true;
    if (option.takes_value) dropped[option.index + 1] = true;
  }
};

Result<std::string> unix_path(const GivenOption& option) {
  constexpr std::string_view kUnix = "unix:";
  if (!option.value.starts_with(kUnix)) {
    return conflict(option.name, "a monitor reads the guest's memory, and only a unix socket can be guarded",
                    "use unix:PATH,server=on,wait=off, or remove it");
  }
  return property(option.value.substr(kUnix.size()), "").value_or("");
}

/// A monitor on a socket that QEMU listens on becomes a guard. One that would call somebody goes without: nothing
/// stands between it and whoever answers.
Result<> take_mon(const GivenOption& option, std::span<const GivenOption> options, Monitors& monitors) {
  const std::string id = property(option.value, "chardev").value_or(property(option.value, "").value_or(""));
  const auto chardev = std::ranges::find_if(
      options, [&](const GivenOption& other) { return other.name == "chardev" && property(other.value, "id") == id; });
  const auto path = chardev == options.end() ? std::nullopt : property(chardev->value, "path");
  if (!path || property(chardev->value, "") != "socket") {
    return conflict("mon", "a monitor reads the guest's memory, and only a unix socket can be guarded",
                    "give it a chardev with socket,path=PATH,server=on, or remove it");
  }
  TRY_LET(const std::vector<Property> properties, read_properties(chardev->value, "backend"));
  if (says_yes(properties, "server")) {
    const bool control = property(option.value, "mode") == "control";
    monitors.guards.push_back({control ? Guard::Protocol::qmp : Guard::Protocol::hmp, *path});
  }
  monitors.drop(option);
  monitors.drop(*chardev);
  return {};
}

Result<Monitors> take_monitors(std::span<const GivenOption> options, std::size_t words) {
  Monitors monitors = {.dropped = std::vector<bool>(words, false), .guards = {}};
  for (const GivenOption& option : options) {
    if (option.name == "monitor" && option.value == "none") continue;
    if (option.name == "qmp" || option.name == "qmp-pretty" || option.name == "monitor") {
      TRY_LET(std::string path, unix_path(option));
      const bool people = option.name == "monitor";
      monitors.guards.push_back({people ? Guard::Protocol::hmp : Guard::Protocol::qmp, std::move(path)});
      monitors.drop(option);
    } else if (option.name == "mon") {
      TRY(take_mon(option, options, monitors));
    } else if (std::ranges::find(kOurs, std::string_view(option.name)) != kOurs.end()) {
      monitors.drop(option);
    }
  }
  return monitors;
}

/// Whether QEMU will emulate: KVM is not asked for, or is not there and emulation is the second choice.
bool emulates(std::span<const GivenOption> options, declare::Accel here) {
  std::string wanted;
  for (const GivenOption& option : options) {
    if (option.name == "enable-kvm") wanted = "kvm";
    if (option.name == "accel")
      wanted = property(option.value, "").value_or(property(option.value, "accel").value_or(""));
    if (is_machine(option)) wanted = property(option.value, "accel").value_or(wanted);
  }
  if (!wanted.contains("kvm")) return true;
  return wanted.contains("tcg") && here == declare::Accel::tcg;
}

bool has_option(std::span<const GivenOption> options, std::string_view name) {
  return std::ranges::find(options, name, &GivenOption::name) != options.end();
}

/// microvm has its virtio devices on PCI only when that is switched on.
std::string_view bus_of(std::span<const GivenOption> options, const declare::Vm& vm) {
  if (vm.qemu_machine != "microvm") return "pci";
  for (const GivenOption& option : options) {
    if (is_machine(option) && property(option.value, "pcie") == "on") return "pci";
  }
  return "device";
}

std::uint64_t bytes_of_memory(std::string_view text, std::uint64_t otherwise) {
  std::uint64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || number > (1ULL << 40)) return otherwise;
  switch (end == last ? 'M' : *end) {
    case 'T':
    case 't':
      return number << 40;
    case 'G':
    case 'g':
      return number << 30;
    case 'K':
    case 'k':
      return number << 10;
    default:
      return number << 20;
  }
}

}  // namespace

bool recognises(const Foreign& foreign) {
  const std::string_view name = program_name(foreign);
  return name.starts_with(kSystem) || name == "qemu-kvm";
}

Result<declare::Vm> describe(const Foreign& foreign, declare::Vm vm) {
  vm.hypervisor = declare::Hypervisor::qemu;
  const std::string_view name = program_name(foreign);
  vm.architecture = name.starts_with(kSystem) ? std::string(name.substr(kSystem.size())) : "x86_64";
  std::string type = vm.architecture == "x86_64" ? "pc" : "";
  vm.kernel.clear();
  vm.initrd.clear();
  TRY_LET(const std::vector<GivenOption> options, options_of(foreign, vm));
  for (const GivenOption& option : options) {
    if (is_machine(option)) type = property(option.value, "").value_or(property(option.value, "type").value_or(type));
    if (option.name == "kernel") vm.kernel = option.value;
    if (option.name == "initrd") vm.initrd = option.value;
    if (option.name == "m") {
      const std::string size = property(option.value, "").value_or(property(option.value, "size").value_or(""));
      vm.memory_bytes = bytes_of_memory(size, vm.memory_bytes);
    }
  }
  vm.qemu_machine = known_machine(type);
  if (vm.qemu_machine.empty()) {
    return hint(fail(Errc::usage, "vmcred does not know the machine type '{}'", type), "one of q35, pc, microvm, virt");
  }
  return vm;
}

Result<Launch> adopt(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan,
                     const Context& context) {
  const std::vector<std::string> words(foreign.argv.begin() + 1, foreign.argv.end());
  TRY_LET(const std::vector<GivenOption> options, options_of(foreign, vm));
  TRY(check_conflicts(options, allowed_in(vm), plan));
  TRY(credential::check_deliverable(plan));
  TRY_LET(const Monitors monitors, take_monitors(options, words.size()));

  Launch launch;
  make_room_for_fds(launch, words);
  launch.guards = monitors.guards;
  std::vector<std::string> kept = words;
  const bool needs_clock = vm.qemu_machine == "microvm" && emulates(options, context.accel);
  for (const GivenOption& option : options) {
    if (option.name == "initrd" && !plan.initrd.empty()) {
      kept[option.index + 1] = add_blob(launch, InitrdBlob{.base = option.value, .entries = plan.initrd});
    }
    if (option.name == "append" && needs_clock)
      kept[option.index + 1] += clock_words(option.value, context.host_tsc_khz);
  }

  Arguments arguments(foreign.argv.front());
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (!monitors.dropped[i]) arguments.append({kept[i]});
  }
  // From here on only what is ours.
  arguments.option("machine", "", {{"dump-guest-core", "off"}, {"mem-merge", "off"}});
  arguments.flag("S");
  if (!has_option(options, "no-reboot")) arguments.flag("no-reboot");
  arguments.option("chardev", "socket", {{"id", "vmcred-qmp"}, {"fd", std::to_string(launch.control_fd)}});
  arguments.option("mon", "", {{"chardev", "vmcred-qmp"}, {"mode", "control"}});
  put_guard(arguments, launch, context);
  put_credentials(arguments, launch, plan);
  if (context.with_link) put_link(arguments, launch, bus_of(options, vm));
  launch.argv = arguments.take();
  return launch;
}

}  // namespace vmcred::vmm::qemu
