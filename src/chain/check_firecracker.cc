// Findings of Firecracker's command line and of its configuration, which the API takes as well.
#include "chain/command_words.h"
#include "chain/configuration_text.h"

namespace vmcred::chain {
void judge_firecracker_configuration(std::string_view text, const std::string& file, std::vector<Finding>& findings) {
  const auto values = read_values(text);
  if (!values) {
    findings.push_back(
        finding(Code::not_looked_at, {.file = file}, fmt::format("it cannot be read: {}", values.error().message)));
    return;
  }
  for (const Value& value : *values) {
    const declare::Place place = {.file = file, .line = value.line, .column = 1};
    const std::string key = value.keys.empty() ? std::string() : value.keys.back();
    if (key == "boot_args") {
      judge_kernel_line(value.text, place, Code::secret_in_configuration, findings);
    } else if (const auto what = shape::looks_like_secret(value.text, key)) {
      findings.push_back(finding(Code::secret_in_configuration, place,
                                 fmt::format("{} holds what looks like a secret: {}", key, *what),
                                 std::string(kDeliver)));
    }
  }
}

void check_firecracker(Words& words) {
  for (const std::string_view option : {"--config-file", "--metadata"}) {
    for (const Given& given : values_of(words, option))
      if (const auto text = words.file(given.index, given.value))
        judge_firecracker_configuration(*text, std::string(given.value), words.findings);
  }
}

}  // namespace vmcred::chain
