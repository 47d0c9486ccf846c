#include "credential/item.h"

#include <algorithm>
#include <array>
#include <map>

#include "credential/capability.h"
#include "credential/limits.h"
#include "declare/names.h"

namespace vmcred::credential {
namespace {

/// What PID 1 and generators read before any unit runs.
bool read_early(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kPrefixes = {"system.", "vmm.", "systemd.", "getty."};
  return name == "fstab.extra" ||
         std::ranges::any_of(kPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

/// OEM strings that would change the guest's boot (smbios-type-11(7)).
bool changes_the_boot(std::string_view text) {
  return text.starts_with("io.systemd.stub.") || text.starts_with("io.systemd.boot.");
}

void refuse(Item& item, std::string why, std::string remedy) {
  if (item.refused()) return;
  item.entry.refused = std::move(why);
  item.entry.remedy = std::move(remedy);
}

void check_name(Item& item) {
  const std::string& name = item.entry.guest;
  if (name.size() > declare::kMaxCredentialName) {
    refuse(item, fmt::format("the guest name is {} bytes, systemd takes {}", name.size(), declare::kMaxCredentialName),
           "choose a shorter one with guest = \"…\"");
  } else if (!declare::valid_guest_name(name)) {
    refuse(item, fmt::format("'{}' is no name of a credential: printable ASCII without '/', ':' and '='", name),
           "choose another with guest = \"…\"");
  } else if (declare::reserved_credential_name(name)) {
    refuse(item, fmt::format("the name '{}' is reserved", name), "choose another with guest = \"…\"");
  }
}

void check_value(Item& item, bool allow_empty) {
  if (!item.entry.size_known) return;
  if (item.entry.size == 0 && !allow_empty) {
    refuse(item, "the value is empty", "give it a value, or declare allow-empty = true");
  } else if (item.entry.size > kMaxCredential) {
    refuse(item, fmt::format("the value is {} bytes, systemd takes {}", item.entry.size, kMaxCredential),
           "deliver it as a file on a disk or a share");
  } else if (item.text && item.text->contains('\0')) {
    refuse(item, "the static value holds a NUL byte, which ends an OEM string",
           "store it with 'vmcred vars set' and use from = \"…\"");
  }
}

Item token_item(const std::map<std::string, std::size_t>& sizes) {
  Item item;
  item.entry.name = item.entry.host = item.entry.guest = std::string(kLinkCredential);
  const auto size = sizes.find(item.entry.host);
  item.entry.size = size == sizes.end() ? kLinkLine : size->second;
  item.early = true;  // it is what a reference is fetched with
  return item;
}

Item notify_item(std::string socket) {
  Item item;
  item.entry.name = item.entry.guest = std::string(kNotifyCredential);
  item.entry.size = socket.size();
  item.text = std::move(socket);
  item.early = true;
  return item;
}

Item credential_item(const declare::Credential& credential, const std::map<std::string, std::size_t>& sizes) {
  Item item;
  item.entry.name = credential.name;
  item.entry.guest = credential.guest;
  item.early = read_early(credential.guest);
  if (credential.static_value) {
    item.text = credential.static_value;
    item.entry.size = item.text->size();
  } else {
    item.entry.host = credential.host;
    const auto size = sizes.find(credential.host);
    item.entry.size_known = size != sizes.end();
    if (item.entry.size_known) item.entry.size = size->second;
  }
  check_name(item);
  check_value(item, credential.allow_empty);
  return item;
}

Item user_string_item(const std::string& text) {
  Item item;
  item.listed = false;
  item.early = true;
  item.text = text;
  item.entry.name = text.substr(0, text.find('='));
  item.entry.size = text.size();
  if (text.empty()) {
    refuse(item, "an empty OEM string ends the structure that it stands in", "remove it from oem-strings");
  } else if (text.contains('\0')) {
    refuse(item, "an OEM string holds a NUL byte, which ends it", "remove it from oem-strings");
  } else if (changes_the_boot(text)) {
    refuse(item, fmt::format("the OEM string '{}' changes how the guest boots", item.entry.name),
           "put it on the vm's command-line");
  }
  return item;
}

/// systemd keeps the first of two and says nothing.
void refuse_duplicates(std::vector<Item>& items) {
  std::map<std::string_view, const Item*> first;
  for (Item& item : items) {
    if (!item.listed) continue;
    const auto [at, fresh] = first.emplace(item.entry.guest, &item);
    if (!fresh) {
      refuse(item, fmt::format("'{}' has the same guest name '{}'", at->second->entry.name, item.entry.guest),
             "choose another with guest = \"…\"");
    }
  }
}

}  // namespace

bool import_is_off(std::string_view command_line) {
  // Also with the initrd's prefix "rd."; a boolean word of systemd (src/basic/parse-util.c).
  static constexpr std::string_view kOption = "systemd.import_credentials=";
  static constexpr std::array<std::string_view, 6> kOff = {"no", "n", "0", "false", "f", "off"};
  for (std::size_t at = 0; (at = command_line.find(kOption, at)) != std::string_view::npos; ++at) {
    const std::string_view rest = command_line.substr(at + kOption.size());
    if (std::ranges::find(kOff, rest.substr(0, rest.find_first_of(" \t\n"))) != kOff.end()) return true;
  }
  return false;
}

std::string notify_socket_of(const PlanInput& input) {
  const declare::Vm& vm = input.vm;
  if (!input.own_devices || vm.guest.systemd < kFirstWithNotifyStream || !has_hybrid_vsock(vm, input.with_link))
    return {};
  if (import_is_off(vm.command_line)) return {};
  if (std::ranges::any_of(vm.long_form.oem_strings, is_notify_socket)) return {};  // the user's own, who listens there
  return fmt::format("vsock-stream:2:{}", kNotifyPort);
}

std::size_t Item::cost() const { return listed ? oem_string_cost(form(), entry.guest, least_size()) : entry.size + 1; }

OemEntry Item::oem_entry() const {
  return {.guest = listed ? entry.guest : std::string(), .host = entry.host, .text = text, .size = entry.size};
}

std::vector<Item> collect_items(const PlanInput& input) {
  std::vector<Item> items;
  items.reserve(input.vm.credentials.size() + input.vm.long_form.oem_strings.size() + 1);
  for (const declare::Credential& credential : input.vm.credentials) {
    items.push_back(credential_item(credential, input.sizes));
  }
  for (const std::string& text : input.vm.long_form.oem_strings) {
    if (!has_credential_prefix(text) || is_notify_socket(text)) items.push_back(user_string_item(text));
  }
  if (input.with_link) items.push_back(token_item(input.sizes));
  if (std::string socket = notify_socket_of(input); !socket.empty()) items.push_back(notify_item(std::move(socket)));
  refuse_duplicates(items);
  return items;
}

}  // namespace vmcred::credential
