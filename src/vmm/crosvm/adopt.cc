#include "vmm/crosvm/adopt.h"

#include <algorithm>

#include "vmm/crosvm/conflicts.h"
#include "vmm/crosvm/options.h"
#include "vmm/foreign.h"

namespace vmcred::vmm::crosvm {
namespace {

/// The index of the word that holds the initrd's path, and where in it the path begins.
struct InitrdWord {
  std::size_t index = 0;  ///< 0: there is none
  std::size_t begin = 0;
};
InitrdWord find_initrd(const std::vector<std::string>& argv) {
  constexpr std::string_view kOption = "--initrd";
  for (std::size_t i = 1; i < argv.size(); ++i) {
    if ((argv[i] == kOption || argv[i] == "-i") && i + 1 < argv.size()) return {i + 1, 0};
    if (argv[i].starts_with(kOption) && argv[i].size() > kOption.size() && argv[i][kOption.size()] == '=') {
      return {i, kOption.size() + 1};
    }
  }
  return {};
}

Result<> check_conflicts(const std::vector<std::string>& argv) {
  for (const std::string& word : argv) {
    if (word.contains("io.systemd.credential:") || word.contains("io.systemd.credential.binary:") ||
        (word.contains("io.systemd.credentials/") && word.contains("string="))) {
      return hint(fail(Errc::usage, "crosvm's command line holds the value of a credential, where everybody reads it"),
                  "remove it and declare it as a credential of the vm");
    }
    constexpr std::string_view kParams = "--params=";
    TRY(check_kernel_line(word.starts_with(kParams) ? std::string_view(word).substr(kParams.size())
                                                    : std::string_view(word)));
  }
  return {};
}

}  // namespace

bool recognises(const Foreign& foreign) {
  return program_name(foreign) == "crosvm" && std::ranges::find(foreign.argv, "run") != foreign.argv.end();
}

Result<declare::Vm> describe(const Foreign& foreign, declare::Vm vm) {
  TRY(check_conflicts(foreign.argv));
  vm.hypervisor = declare::Hypervisor::crosvm;
  const InitrdWord word = find_initrd(foreign.argv);
  vm.initrd = word.index == 0 ? "" : foreign.argv[word.index].substr(word.begin);
  return vm;
}

Result<Launch> adopt(const Foreign& foreign, const declare::Vm& vm, const credential::Plan& plan,
                     const Context& context) {
  TRY(credential::check_deliverable(plan));
  TRY(refuse_control_socket(foreign.argv, context));
  TRY(check_options(std::span(foreign.argv).subspan(1), AllowedOptions(vm.allowed_options), Origin::command_line));
  if (context.with_link) {
    return hint(fail(Errc::usage, "crosvm has no link to the supervisor, so no receipt and no reference"),
                "declare guest.agent = false");
  }
  Launch launch = {.argv = foreign.argv, .control = Control::none, .exit_tells = ExitTells::powered_off};
  make_room_for_fds(launch, foreign.argv);
  if (!plan.initrd.empty()) {
    const InitrdWord word = find_initrd(foreign.argv);  // the plan has an overlay only where there is an initrd
    std::string& text = launch.argv[word.index];
    text = text.substr(0, word.begin) + fmt::format("/proc/self/fd/{}", launch.first_blob_fd);
    launch.blobs.push_back(InitrdBlob{.base = vm.initrd, .entries = plan.initrd});
  }
  return launch;
}

}  // namespace vmcred::vmm::crosvm
