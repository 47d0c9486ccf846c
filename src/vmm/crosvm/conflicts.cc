#include "vmm/crosvm/conflicts.h"

#include <algorithm>

namespace vmcred::vmm::crosvm {

Result<> refuse_control_socket(std::span<const std::string> words, const Context& context) {
  if (std::ranges::find(context.exposed, Exposure::snapshot) != context.exposed.end()) return {};
  for (const std::string& word : words) {
    if (word != "-s" && word != "--socket" && !word.starts_with("--socket=")) continue;
    return hint(fail(Errc::usage,
                     "'{}' cannot be used with crosvm: its control socket gives the guest's memory away, and its protocol is no "
                     "stable one that a guard could read",
                     word.substr(0, word.find('='))),
                "remove it (of microvm.nix: microvm.socket = null) and end the vm by 'vmcred vm stop', or say '--expose snapshot'");
  }
  return {};
}

}  // namespace vmcred::vmm::crosvm
