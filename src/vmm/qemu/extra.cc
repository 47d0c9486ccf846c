#include "vmm/qemu/extra.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace vmcred::vmm::qemu {
namespace {

/// Options that no user of a supervised vm can add, and what to do instead.
struct Rule {
  std::string_view name;
  std::string_view why;
  std::string_view remedy;
};

constexpr std::string_view kGuard = "use the vm's QMP socket in its folder below /run/vmcred/vm";
constexpr std::array kRules = std::to_array<Rule>({
    {"qmp", "QMP reads the guest's memory, so only the supervisor has it", kGuard},
    {"qmp-pretty", "QMP reads the guest's memory, so only the supervisor has it", kGuard},
    {"mon", "a monitor reads the guest's memory, so only the supervisor has one", kGuard},
    {"gdb", "a debugger reads the guest's memory", "run the vm without secrets to debug it"},
    {"s", "a debugger reads the guest's memory", "run the vm without secrets to debug it"},
    {"S", "the supervisor stops and starts the vm itself", "remove it"},
    {"sandbox", "the supervisor sets QEMU's sandbox", "remove it"},
    {"daemonize", "the supervisor must be the parent of QEMU", "run 'vmcred vm run' as a service"},
    {"nographic", "the console of the vm is its log", "remove it, there is no display anyway"},
    {"no-shutdown", "a guest that has powered off must end QEMU", "remove it"},
    {"no-reboot", "the supervisor sets it", "remove it"},
    {"action", "the supervisor decides what a reset or a shutdown does", "remove it"},
    {"incoming", "a migrated guest would bring values of its own", "start the vm afresh"},
    {"loadvm", "a snapshot would bring values of its own", "start the vm afresh"},
    {"readconfig", "a file of options cannot be checked", "give its options one by one"},
    {"kernel", "the declaration has it", "declare kernel"},
    {"initrd", "the declaration has it", "declare initrd"},
    {"append", "the declaration has it", "declare command-line"},
    {"m", "the declaration has it", "declare memory"},
    {"smp", "the declaration has it", "declare vcpus"},
    {"M", "the declaration has it", "declare qemu.machine"},
    {"name", "the declaration has it", "the vm's name is used"},
    {"accel", "the supervisor chooses it", "declare accel"},
    {"enable-kvm", "the supervisor chooses it", "declare accel"},
});

/// Options without a value (QEMU 7.2, qemu-options.hx); every other one takes the next word.
constexpr std::array kFlags = std::to_array<std::string_view>(
    {"h", "help", "version", "S", "s", "snapshot", "daemonize", "nographic", "no-shutdown", "no-reboot", "nodefaults",
     "no-user-config", "enable-kvm", "full-screen", "no-fd-bootchk", "no-acpi", "no-hpet", "usb", "singlestep",
     "preconfig", "portrait", "mem-prealloc", "only-migratable", "enable-sync-profile", "win2k-hack", "no-quit",
     "alt-grab", "ctrl-grab", "semihosting", "old-param", "prom-env-default"});

bool has_key(std::string_view value, std::string_view key, std::string_view wanted) {
  for (std::size_t at = 0; at <= value.size();) {
    const std::size_t end = std::min(value.find(',', at), value.size());
    const std::string_view property = value.substr(at, end - at);
    const std::size_t equals = property.find('=');
    if (equals != std::string_view::npos && property.substr(0, equals) == key &&
        (wanted.empty() || property.substr(equals + 1) == wanted)) {
      return true;
    }
    at = end + 1;
  }
  return false;
}

Failure conflict(const GivenOption& option, std::string_view why, std::string_view remedy) {
  return hint(fail(Errc::usage, "the extra argument '-{}' cannot be used: {}", option.name, why), std::string(remedy));
}

}  // namespace

std::vector<GivenOption> read_options(std::span<const std::string> words) {
  std::vector<GivenOption> options;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word.size() < 2 || word.front() != '-') {
      options.push_back({.name = {}, .value = word, .index = i});
      continue;
    }
    GivenOption option = {.name = word.substr(word.starts_with("--") ? 2 : 1), .index = i};
    if (std::ranges::find(kFlags, option.name) == kFlags.end() && i + 1 < words.size()) option.value = words[++i];
    options.push_back(std::move(option));
  }
  return options;
}

Result<> check_extra(std::span<const std::string> words) {
  for (const GivenOption& option : read_options(words)) {
    const auto rule = std::ranges::find(kRules, std::string_view(option.name), &Rule::name);
    if (rule != kRules.end()) return conflict(option, rule->why, rule->remedy);
    if (option.name == "monitor" && option.value != "none") {
      return conflict(option, "a monitor reads the guest's memory, so only the supervisor has one", kGuard);
    }
    if (option.name == "smbios" && (has_key(option.value, "type", "11") || has_key(option.value, "file", ""))) {
      return conflict(option, "OEM strings are delivered by vmcred", "declare them as credentials or oem-strings");
    }
    if (option.name == "fw_cfg" && option.value.contains("io.systemd.credentials/")) {
      return conflict(option, "credentials are delivered by vmcred", "declare it as a credential");
    }
    if (option.name == "machine" &&
        (has_key(option.value, "dump-guest-core", "on") || has_key(option.value, "mem-merge", "on"))) {
      return conflict(option, "the guest's memory must stay out of core dumps and page merging", "remove it");
    }
  }
  return {};
}

}  // namespace vmcred::vmm::qemu
