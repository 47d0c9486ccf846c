#include "chain/oem_strings.h"

#include <fmt/core.h>

#include "chain/exposed.h"
#include "credential/limits.h"
#include "credential/oem_string.h"

namespace vmcred::chain {

void judge_strings(const std::vector<OpenString>& strings, Code code, std::string_view where, std::vector<Finding>& findings) {
  for (const OpenString& each : strings) {
    const auto credential = credential::read_credential_string(each.text);
    if (!credential) {
      if (const auto what = shape_of(each.text))
        findings.push_back(finding(code, each.place, fmt::format("an OEM string looks like a secret ({}); {}", *what, where),
                                   "deliver it with vmcred, which uses descriptors alone"));
      continue;
    }
    const bool binary = credential->form == credential::Form::binary;
    const auto what = exposed(credential->name, credential->value);
    Finding found = finding(code, each.place, fmt::format("the value of the credential '{}' stands in clear; {}", credential->name, where),
                            "deliver it with vmcred, which uses descriptors alone");
    if (!binary && !what) {
      found.level = Level::note;
      found.hint = "it does not look secret; if it is, deliver it with vmcred";
    }
    findings.push_back(std::move(found));
  }
}

void judge_amount(const std::vector<OpenString>& strings, int systemd, std::vector<Finding>& findings) {
  std::size_t bytes = credential::kStructureOverhead;
  for (const OpenString& each : strings) bytes += each.text.size() + 1;
  if (systemd < credential::kFirstWithWholeStructures && bytes > credential::kPageStructure) {
    findings.push_back(finding(Code::too_much_for_a_page, strings.front().place,
                               fmt::format("the OEM strings take {} bytes of one structure; systemd {} reads {} and drops the rest silently", bytes,
                                           systemd, credential::kPageStructure),
                               "vmcred packs them into several structures; or use systemd 257 in the guest (--systemd 257)"));
  } else if (strings.size() > credential::kMaxStrings) {
    findings.push_back(finding(Code::too_much_for_a_page, strings.front().place,
                               fmt::format("{} OEM strings in one structure, which counts to {}", strings.size(), credential::kMaxStrings),
                               "vmcred packs them into several structures"));
  }
}

}  // namespace vmcred::chain
