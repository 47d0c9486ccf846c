#include "vmm/qemu/extra.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "vmm/qemu/option_words.h"
#include "vmm/qemu/properties.h"

namespace vmcred::vmm::qemu {
namespace {

/// Options that a declared vm has no room for, though a command line of somebody else's may have them.
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
    {"S", "the supervisor stops and starts the vm itself", "remove it"},
    {"sandbox", "the supervisor sets QEMU's sandbox", "remove it"},
    {"daemonize", "the supervisor must be the parent of QEMU", "run 'vmcred vm run' as a service"},
    {"nographic", "the console of the vm is its log", "remove it, there is no display anyway"},
    {"no-shutdown", "a guest that has powered off must end QEMU", "remove it"},
    {"no-reboot", "the supervisor sets it", "remove it"},
    {"action", "the supervisor decides what a reset or a shutdown does", "remove it"},
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

Failure refuse(const GivenOption& option, std::string_view why, std::string_view remedy) {
  return conflict(Origin::extra_arguments, option.name, why, remedy);
}

}  // namespace

Result<> check_extra(std::span<const std::string> words, const AllowedOptions& allowed) {
  TRY_LET(const std::vector<GivenOption> options, read_options(words, allowed, Origin::extra_arguments));
  for (const GivenOption& option : options) {
    const auto rule = std::ranges::find(kRules, std::string_view(option.name), &Rule::name);
    if (rule != kRules.end()) return refuse(option, rule->why, rule->remedy);
    if (option.name == "monitor" && option.value != "none") {
      return refuse(option, "a monitor reads the guest's memory, so only the supervisor has one", kGuard);
    }
    if (option.name == "fw_cfg" && option.value.contains("io.systemd.credentials/")) {
      return refuse(option, "credentials are delivered by vmcred", "declare it as a credential");
    }
    TRY(check_value(option, allowed, Origin::extra_arguments));
    if (option.name != "machine") continue;
    TRY_LET(const std::vector<Property> properties, read_properties(option.value, "type"));
    if (says_yes(properties, "dump-guest-core") || says_yes(properties, "mem-merge")) {
      return refuse(option, "the guest's memory must stay out of core dumps and page merging", "remove it");
    }
  }
  return {};
}

}  // namespace vmcred::vmm::qemu
