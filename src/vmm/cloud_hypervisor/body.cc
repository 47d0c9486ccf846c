#include "vmm/cloud_hypervisor/body.h"

#include <algorithm>

#include "credential/capability.h"
#include "credential/limits.h"
#include "credential/oem_string.h"

namespace vmcred::vmm::cloud_hypervisor {
namespace {

constexpr int kLastWithSmallBody = 53;

/// Takes a member out of an object.
Json take(Json& object, std::string_view key) {
  auto* members = object.if_object();
  if (members == nullptr) return {};
  const auto found = std::ranges::find(*members, key, &Json::Member::first);
  if (found == members->end()) return {};
  Json value = std::move(found->second);
  members->erase(found);
  return value;
}

/// An object's text without its closing brace, ready for one more member.
std::string open_object(const Json& object) {
  std::string text = dump_json(object);
  text.pop_back();
  if (text != "{") text += ',';
  return text;
}

/// The bytes that a piece will have at most, escapes included: names and base64 need none but for quotes and
/// backslashes in names and texts.
std::size_t size_of(const BodyPiece& piece) {
  if (const auto* text = std::get_if<std::string>(&piece)) return text->size();
  const auto* word = std::get_if<KernelWord>(&piece);
  const credential::OemEntry& entry = word != nullptr ? word->entry : std::get<credential::OemEntry>(piece);
  if (word != nullptr) return credential::kernel_word_cost(entry.guest, entry.size) + 2;
  std::size_t escapes =
      static_cast<std::size_t>(std::ranges::count_if(entry.guest, [](char c) { return c == '"' || c == '\\'; }));
  if (entry.text) {
    for (const char c : *entry.text) {
      if (c == '"' || c == '\\') escapes += 1;
      if (static_cast<unsigned char>(c) < 0x20) escapes += 5;
    }
  }
  if (entry.guest.empty()) return entry.size + escapes;
  const auto form = entry.text ? credential::Form::text : credential::Form::binary;
  return credential::oem_string_cost(form, entry.guest, entry.size) - 1 + escapes;
}

}  // namespace

Result<std::vector<Request>> requests_for(Json config, const credential::Plan& plan, const Context& context) {
  Json payload = take(config, "payload");
  Json platform = take(config, "platform");
  if (platform.is_null()) platform = Json::object();
  std::vector<BodyPiece> body;
  std::string text = open_object(config);

  text += "\"payload\":";
  if (plan.kernel_line.empty()) {
    text += dump_json(payload);
  } else {
    std::string line = dump_json(take(payload, "cmdline"));
    line.pop_back();  // the words follow inside the quotes
    text += open_object(payload) + "\"cmdline\":" + line;
    for (const credential::OemEntry& entry : plan.kernel_line) {
      body.push_back(text + " ");
      body.push_back(KernelWord{entry});
      text.clear();
    }
    text += "\"}";
  }

  if (!plan.structures.empty()) {
    text += ",\"platform\":" + open_object(platform) + "\"oem_strings\":[";
    for (const credential::OemEntry& entry : plan.structures.front().entries) {
      body.push_back(text + "\"");
      body.push_back(entry);
      text = "\",";
    }
    text.pop_back();
    text += "]}";
  } else if (!platform.if_object()->empty()) {
    text += ",\"platform\":" + dump_json(platform);
  }
  body.push_back(text + "}");

  std::size_t size = 0;
  for (const BodyPiece& piece : body) size += size_of(piece);
  const bool small = credential::major_version(context.version) <= kLastWithSmallBody;
  const std::size_t limit = small ? credential::kSmallBody : credential::kLargeBody;
  if (size > limit) {
    return hint(
        fail(Errc::invalid_data, "the request that creates '{}' is {} bytes, cloud-hypervisor takes {}", plan.vm, size,
             limit),
        small ? "use a cloud-hypervisor after v53.0, or fewer and smaller credentials" : "use smaller credentials");
  }
  return std::vector<Request>{{.method = "PUT", .path = "/api/v1/vm.create", .body = std::move(body)},
                              {.method = "PUT", .path = "/api/v1/vm.boot"}};
}

void add_event_monitor(Launch& launch) {
  launch.reboot_event = "vm rebooting";  // vmm/src/lib.rs, Vmm::vm_reboot()
  launch.panic_event = "guest panic";    // devices/src/pvpanic.rs
  launch.argv.insert(launch.argv.end(), {"--event-monitor", fmt::format("fd={}", launch.event_fd)});
}

void add_other_requests(Launch& launch) {
  launch.exit_tells = ExitTells::powered_off;
  launch.power_request = Request{.method = "PUT", .path = "/api/v1/vm.power-button"};
  launch.version = {.path = "/api/v1/vmm.ping", .member = "version"};
  launch.quit_request = Request{.method = "PUT", .path = "/api/v1/vmm.shutdown"};
}

}  // namespace vmcred::vmm::cloud_hypervisor
