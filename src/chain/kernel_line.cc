#include "chain/kernel_line.h"

#include <fmt/core.h>

#include "declare/kernel_line.h"
#include "declare/names.h"
#include "shape/secret_shape.h"

namespace vmcred::chain {
void judge_kernel_line(std::string_view line, const declare::Place& place, Code code, std::vector<Finding>& findings) {
  std::string others;
  for (const std::string& word : declare::kernel_words(line)) {
    if (!declare::sets_credential(word)) {
      others += word + " ";
      continue;
    }
    const std::string_view value = std::string_view(word).substr(word.find('=') + 1);
    const std::string_view name = value.substr(0, value.find(':'));
    const bool valid = declare::valid_credential_name(name) && value.contains(':');
    findings.push_back(finding(Code::on_kernel_command_line, place,
                               valid ? fmt::format("the kernel's command line sets the credential '{}'", name) : "the kernel's command line sets a credential, and systemd ignores it",
                               "everybody in the guest reads /proc/cmdline: deliver it with vmcred"));
  }
  if (const auto what = shape::looks_like_secret(others))
    findings.push_back(finding(code, place, fmt::format("the kernel's command line holds what looks like a secret: {}", *what), "everybody in the guest reads /proc/cmdline: deliver it with vmcred"));
}

}  // namespace vmcred::chain
