#include "vmm/crosvm/conflicts.h"

#include <algorithm>

namespace vmcred::vmm::crosvm {

Result<> refuse_control_socket(std::span<const std::string> words, const Context& context) {
  if (std::ranges::find(context.exposed, Exposure::snapshot) != context.exposed.end()) return {};
  for (const std::string& word : words) {
    if (word != "-s" && word != "--socket" && !word.starts_with("--socket=")) continue;
    return hint(
        fail(
            Errc::usage,
            "'{}' cannot be used with crosvm: its control socket gives the guest's memory away, and its protocol is no "
            "stable one that a guard could read",
            word.substr(0, word.find('='))),
        "remove it ('vmcred exec --without-control' leaves it out) and end the vm by 'vmcred vm stop', or say "
        "'--expose snapshot'");
  }
  return {};
}

std::vector<std::string> without_control_socket(std::span<const std::string> words) {
  std::vector<std::string> left;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].starts_with("--socket=")) continue;
    if (words[i] == "-s" || words[i] == "--socket") {
      ++i;
      continue;
    }
    left.push_back(words[i]);
  }
  return left;
}

}  // namespace vmcred::vmm::crosvm
