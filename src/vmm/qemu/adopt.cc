#include "vmm/qemu/adopt.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "vmm/foreign.h"
#include "vmm/qemu/arguments.h"
#include "vmm/qemu/delivery.h"
#include "vmm/qemu/extra.h"
#include "vmm/qemu/guard.h"

namespace vmcred::vmm::qemu {
namespace {

constexpr std::string_view kSystem = "qemu-system-";

/// Options with which a vm cannot be adopted, and what to do.
struct Rule {
  std::string_view name;
  std::string_view why;
  std::string_view remedy;
};
constexpr std::array kRules = std::to_array<Rule>({
    {"S", "the supervisor stops and starts the vm itself", "remove it"},
    {"daemonize", "the supervisor must be the parent of QEMU", "remove it and let 'vmcred exec' be the service"},
    {"no-shutdown", "a guest that has powered off must end QEMU", "remove it"},
    {"incoming", "a migrated guest would bring values of its own", "start the vm afresh"},
    {"loadvm", "a snapshot would bring values of its own", "start the vm afresh"},
    {"readconfig", "a file of options cannot be checked", "give its options one by one"},
    {"gdb", "a debugger reads the guest's memory", "debug the vm without its secrets"},
    {"s", "a debugger reads the guest's memory", "debug the vm without its secrets"},
});

Failure conflict(std::string_view option, std::string_view why, std::string_view remedy) {
  return hint(fail(Errc::usage, "'-{}' on the command line cannot be kept: {}", option, why), std::string(remedy));
}

std::vector<GivenOption> options_of(const Foreign& foreign) {
  return read_options(std::span(foreign.argv).subspan(1));
}

bool is_machine(const GivenOption& option) { return option.name == "machine" || option.name == "M"; }

/// The machine type as vmcred names it, from QEMU's name with or without a version; "" when it is another.
std::string known_machine(std::string_view type) {
  if (type == "q35" || type.starts_with("pc-q35-")) return "q35";
  if (type == "pc" || type.starts_with("pc-i440fx-")) return "pc";
  if (type == "microvm") return "microvm";
  if (type == "virt" || type.starts_with("virt-")) return "virt";
  return {};
}

Result<> check_conflicts(std::span<const GivenOption> options, const credential::Plan& plan) {
  for (const GivenOption& option : options) {
    const auto rule = std::ranges::find(kRules, std::string_view(option.name), &Rule::name);
    if (rule != kRules.end()) return conflict(option.name, rule->why, rule->remedy);
    if (option.name == "smbios" && !plan.structures.empty() &&
        (property(option.value, "type") == "11" || property(option.value, "file"))) {
      return conflict("smbios", "QEMU takes OEM strings from one place only, and vmcred brings its own",
                      "declare its strings as credentials or oem-strings of the vm");
    }
    if (option.name == "smbios" && property(option.value, "type") == "11") {
      return conflict("smbios", "its OEM strings stand on the command line, where everybody reads them",
                      "declare them as credentials of the vm");
    }
    if (option.name == "fw_cfg" && option.value.contains("io.systemd.credentials/")) {
      const std::string name = property(option.value, "name").value_or(property(option.value, "").value_or(""));
      const std::string guest = name.substr(name.rfind('/') + 1);
      if (property(option.value, "string")) {
        return conflict("fw_cfg", fmt::format("the value of '{}' stands on the command line, where everybody reads it", guest),
                        "declare it as a credential of the vm");
      }
      if (std::ranges::find(plan.entries, guest, &credential::Entry::guest) != plan.entries.end()) {
        return conflict("fw_cfg", fmt::format("'{}' would arrive twice, and systemd keeps one", guest),
                        "remove one of the two");
      }
    }
    if (option.name == "serial" && option.value.starts_with("mon:")) {
      return conflict("serial", "a monitor reads the guest's memory", "use '-serial stdio' without 'mon:'");
    }
  }
  return {};
}

/// The words that go, by index, and the guards that come for them.
struct Monitors {
  std::vector<bool> dropped;
  std::vector<Guard> guards;
};

Result<std::string> unix_path(const GivenOption& option) {
  constexpr std::string_view kUnix = "unix:";
  if (!option.value.starts_with(kUnix)) {
    return conflict(option.name, "a monitor reads the guest's memory, and only a unix socket can be guarded",
                    "use unix:PATH,server=on,wait=off, or remove it");
  }
  return property(option.value.substr(kUnix.size()), "").value_or("");
}

Result<Monitors> take_monitors(std::span<const GivenOption> options, std::size_t words) {
  Monitors monitors = {.dropped = std::vector<bool>(words, false), .guards = {}};
  const auto drop = [&](const GivenOption& option) {
    monitors.dropped[option.index] = true;
    monitors.dropped[option.index + 1] = true;
  };
  for (const GivenOption& option : options) {
    if (option.name == "monitor" && option.value == "none") continue;
    if (option.name == "qmp" || option.name == "qmp-pretty" || option.name == "monitor") {
      TRY_LET(std::string path, unix_path(option));
      const bool people = option.name == "monitor";
      monitors.guards.push_back({people ? Guard::Protocol::hmp : Guard::Protocol::qmp, std::move(path)});
      drop(option);
    } else if (option.name == "mon") {
      const std::string id = property(option.value, "chardev").value_or(property(option.value, "").value_or(""));
      const auto chardev = std::ranges::find_if(options, [&](const GivenOption& other) {
        return other.name == "chardev" && property(other.value, "id") == id;
      });
      const auto path = chardev == options.end() ? std::nullopt : property(chardev->value, "path");
      if (!path || property(chardev->value, "") != "socket") {
        return conflict("mon", "a monitor reads the guest's memory, and only a unix socket can be guarded",
                        "give it a chardev with socket,path=PATH,server=on, or remove it");
      }
      const bool control = property(option.value, "mode") == "control";
      monitors.guards.push_back({control ? Guard::Protocol::qmp : Guard::Protocol::hmp, *path});
      drop(option);
      drop(*chardev);
    }
  }
  return monitors;
}

/// Whether QEMU will emulate: KVM is not asked for, or is not there and emulation is the second choice.
bool emulates(std::span<const GivenOption> options, declare::Accel here) {
  std::string wanted;
  for (const GivenOption& option : options) {
    if (option.name == "enable-kvm") wanted = "kvm";
    if (option.name == "accel") wanted = property(option.value, "").value_or(property(option.value, "accel").value_or(""));
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
    case 'T': case 't': return number << 40;
    case 'G': case 'g': return number << 30;
    case 'K': case 'k': return number << 10;
    default: return number << 20;
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
  for (const GivenOption& option : options_of(foreign)) {
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

Result<Launch> adopt(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan, const Context& context) {
  const std::vector<std::string> words(foreign.argv.begin() + 1, foreign.argv.end());
  const std::vector<GivenOption> options = read_options(words);
  TRY(check_conflicts(options, plan));
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
    if (option.name == "append" && needs_clock) kept[option.index + 1] += clock_words(option.value, context.host_tsc_khz);
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
