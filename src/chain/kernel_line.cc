#include "chain/kernel_line.h"

#include <fmt/core.h>

#include <algorithm>

#include "declare/kernel_line.h"
#include "declare/names.h"
#include "shape/secret_shape.h"
#include "unitfile/syntax.h"

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
                               valid ? fmt::format("the kernel's command line sets the credential '{}'", name)
                                     : "the kernel's command line sets a credential, and systemd ignores it",
                               "everybody in the guest reads /proc/cmdline: deliver it with vmcred"));
  }
  if (const auto what = shape::looks_like_secret(others))
    findings.push_back(finding(code, place,
                               fmt::format("the kernel's command line holds what looks like a secret: {}", *what),
                               "everybody in the guest reads /proc/cmdline: deliver it with vmcred"));
}

void judge_import(std::string_view line, const declare::Place& place, bool offered, std::vector<Finding>& findings) {
  constexpr std::string_view kKey = "systemd.import_credentials=";
  bool taken = true;
  for (std::string word : declare::kernel_words(line)) {
    std::ranges::replace(word.begin(),
                         word.begin() + static_cast<std::ptrdiff_t>(std::min(word.find('='), word.size())), '-', '_');
    if (word.starts_with(kKey))
      taken = unitfile::boolean_of(std::string_view(word).substr(kKey.size())).value_or(taken);
  }
  if (taken || !offered) return;
  findings.push_back(
      finding(Code::lost_credential, place,
              "with systemd.import_credentials=no systemd takes none of the credentials that this machine offers",
              "leave that word out"));
}

}  // namespace vmcred::chain
