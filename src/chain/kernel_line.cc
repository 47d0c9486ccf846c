#include "chain/kernel_line.h"

#include <fmt/core.h>

#include <algorithm>

#include "declare/names.h"
#include "shape/secret_shape.h"

namespace vmcred::chain {
namespace {

/// The next word as systemd's extract_first_word() with quotes takes it: kernel lines quote whole words or their values.
std::string take_word(std::string_view& rest) {
  std::string word;
  char quote = 0;
  std::size_t i = std::min(rest.find_first_not_of(" \t\n\r"), rest.size());
  for (; i < rest.size(); ++i) {
    const char c = rest[i];
    if (quote != 0) {
      if (c == quote) {
        quote = 0;
      } else {
        word += c;
      }
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      break;
    } else {
      word += c;
    }
  }
  rest.remove_prefix(i);
  return word;
}

}  // namespace

bool sets_credential(std::string_view word) {
  std::string key(word.substr(0, word.find('=')));
  std::ranges::replace(key, '-', '_');
  return word.contains('=') && (key == "systemd.set_credential" || key == "systemd.set_credential_binary");
}

void judge_kernel_line(std::string_view line, const declare::Place& place, Code code, std::vector<Finding>& findings) {
  std::string others;
  for (std::string_view rest = line; !rest.empty();) {
    const std::string word = take_word(rest);
    if (!sets_credential(word)) {
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
