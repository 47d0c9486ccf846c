#include "declare/names.h"

#include <algorithm>

namespace vmcred::declare {
namespace {

constexpr std::size_t kMaxFileName = 255;  // NAME_MAX
constexpr std::size_t kMaxLabel = 63;      // of a host name, RFC 1123

bool lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool valid_label(std::string_view name) {
  if (name.empty() || name.size() > kMaxLabel) return false;
  if (!lower_or_digit(name.front()) || !lower_or_digit(name.back())) return false;
  return std::ranges::all_of(name, [](char c) { return lower_or_digit(c) || c == '-'; });
}

}  // namespace

// systemd: credential_name_valid() = filename_is_valid() and fdname_is_valid()
bool valid_credential_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxCredentialName || name == "." || name == "..") return false;
  return std::ranges::all_of(name, [](char c) { return c >= 0x20 && c <= 0x7e && c != '/' && c != ':'; });
}

bool valid_guest_name(std::string_view name) {
  return valid_credential_name(name) && name.find('=') == std::string_view::npos;
}

bool reserved_credential_name(std::string_view name) {
  return name == "vmm.notify_socket" || name.starts_with("vmcred.");
}

bool valid_vm_name(std::string_view name) { return valid_label(name); }
bool valid_machine_name(std::string_view name) { return valid_label(name); }

bool valid_var_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxFileName || name == "." || name == "..") return false;
  if (name == ".validation-hash" || name == ".vmcred.json") return false;
  return std::ranges::none_of(name, [](char c) { return c == '/' || (c >= 0 && c < 0x20) || c == 0x7f; });
}

bool valid_allowed_option(std::string_view word) {
  word.remove_prefix(std::min(word.find_first_not_of('-'), word.size()));
  return !word.substr(0, word.find('=')).empty() &&
         std::ranges::all_of(word, [](char c) { return c > ' ' && c < 0x7f && c != ','; });
}

std::string guest_name_of(std::string_view name) {
  std::string guest = short_name_of(name);
  for (char& c : guest) {
    if (c == '-') c = '_';
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return guest;
}

std::string host_name_of(std::string_view name) { return std::string(kHostPrefix).append(name); }

std::string short_name_of(std::string_view host) {
  if (host.starts_with(kHostPrefix)) host.remove_prefix(kHostPrefix.size());
  return std::string(host);
}

std::string short_name_of_guest(std::string_view guest) {
  std::string name(guest);
  for (char& c : name) {
    if (c == '_') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return name;
}

}  // namespace vmcred::declare
