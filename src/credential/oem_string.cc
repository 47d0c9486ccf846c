#include "credential/oem_string.h"

#include <algorithm>

#include "base/base64.h"

namespace vmcred::credential {

std::size_t oem_string_cost(Form form, std::string_view name, std::size_t value_size) {
  const bool text = form == Form::text;
  const std::size_t prefix = text ? kTextPrefix.size() : kBinaryPrefix.size();
  return prefix + name.size() + 1 + (text ? value_size : base64_size(value_size)) + 1;
}

std::size_t kernel_word_cost(std::string_view name, std::size_t value_size) {
  return 1 + kKernelPrefix.size() + name.size() + 1 + value_size + 1 + 1;
}

bool fits_kernel_line(std::string_view value) {
  return std::ranges::all_of(value, [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

bool has_credential_prefix(std::string_view text) {
  return text.starts_with(kTextPrefix) || text.starts_with(kBinaryPrefix);
}

bool is_notify_socket(std::string_view text) {
  const auto found = read_credential_string(text);
  return found && found->form == Form::text && found->name == "vmm.notify_socket";
}

std::optional<CredentialString> read_credential_string(std::string_view text) {
  CredentialString found;
  if (text.starts_with(kBinaryPrefix)) {
    found.form = Form::binary;
    text.remove_prefix(kBinaryPrefix.size());
  } else if (text.starts_with(kTextPrefix)) {
    text.remove_prefix(kTextPrefix.size());
  } else {
    return std::nullopt;
  }
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return std::nullopt;
  found.name = text.substr(0, equals);
  found.value = text.substr(equals + 1);
  return found;
}

}  // namespace vmcred::credential
