#include "supervise/guard_words.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace vmcred::supervise {
namespace {

constexpr std::size_t kMaxLogged = 64;

/// A command of the human monitor and the QMP command for it.
struct Translation {
  std::string_view words;
  std::string_view command;
};
constexpr std::array kTranslations = std::to_array<Translation>({
    {"info status", "query-status"},
    {"info balloon", "query-balloon"},
    {"system_powerdown", "system_powerdown"},
    {"system_reset", "system_reset"},
    {"stop", "stop"},
    {"s", "stop"},
    {"cont", "cont"},
    {"c", "cont"},
    {"quit", "quit"},
    {"q", "quit"},
});

bool blank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

std::string refusal(std::string_view command) {
  return fmt::format("the guard of this vm does not let '{}' through", loggable(command));
}

void check_allowed(Spoken& spoken, const vmm::GuardRules& rules) {
  if (std::ranges::find(rules.allowed, spoken.command) == rules.allowed.end()) spoken.refused = refusal(spoken.command);
}

/// {"type":"key","data":{"down":true,"key":{"type":"qcode","data":"ctrl"}}}, of control, alt and delete
bool is_reset_key(const Json& event) {
  constexpr std::array<std::string_view, 5> kKeys = {"ctrl", "ctrl_r", "alt", "alt_r", "delete"};
  const Json* const data = event.find("data");
  const Json* const key = data != nullptr ? data->find("key") : nullptr;
  return event.string_at("type") == "key" && key != nullptr && key->string_at("type") == "qcode" &&
         std::ranges::find(kKeys, key->string_at("data")) != kKeys.end();
}

/// Keys are typed into the guest's console, so only those that end a guest pass: what runners of microvm.nix stop
/// theirs with.
bool only_reset_keys(const Json& arguments) {
  const Json* const events = arguments.find("events");
  return arguments.if_object()->size() == 1 && events != nullptr && events->if_array() != nullptr &&
         std::ranges::all_of(*events->if_array(), is_reset_key);
}

Spoken refused(std::string why) { return {.command = "?", .refused = std::move(why)}; }

}  // namespace

std::string loggable(std::string_view text) {
  std::string safe(text.substr(0, kMaxLogged));
  for (char& c : safe) c = c >= ' ' && c <= '~' && c != '\'' ? c : '?';
  if (text.size() > kMaxLogged) safe += "...";
  return safe;
}

Result<std::optional<std::string>> take_object(std::string& bytes) {
  const auto first = std::ranges::find_if_not(bytes, blank);
  bytes.erase(bytes.begin(), first);
  if (bytes.empty()) return std::nullopt;
  if (bytes.front() != '{') return fail(Errc::invalid_data, "this is no QMP command");
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < std::min(bytes.size(), kMaxGuardCommand); ++i) {
    const char c = bytes[i];
    if (quoted) {
      if (c == '\\') ++i;
      if (c == '"') quoted = false;
      continue;
    }
    if (c == '"') quoted = true;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) {
      std::string object = bytes.substr(0, i + 1);
      bytes.erase(0, i + 1);
      return object;
    }
  }
  if (bytes.size() >= kMaxGuardCommand)
    return fail(Errc::invalid_data, "a command of more than {} bytes", kMaxGuardCommand);
  return std::nullopt;
}

Result<std::optional<std::string>> take_line(std::string& bytes) {
  const std::size_t end = bytes.find('\n');
  if (std::min(end, bytes.size()) > kMaxGuardCommand) {
    return fail(Errc::invalid_data, "a line of more than {} bytes", kMaxGuardCommand);
  }
  if (end == std::string::npos) return std::nullopt;
  std::string line = bytes.substr(0, end);
  bytes.erase(0, end + 1);
  while (!line.empty() && blank(line.back())) line.pop_back();
  while (!line.empty() && blank(line.front())) line.erase(0, 1);
  return line;
}

Spoken judge_qmp(std::string_view object, const vmm::GuardRules& rules) {
  const auto json = parse_json(object, {.max_bytes = kMaxGuardCommand, .max_depth = kMaxGuardDepth});
  if (!json || json->if_object() == nullptr) return refused("this is no QMP command");
  Spoken spoken;
  if (const Json* const id = json->find("id")) spoken.id = *id;
  spoken.command = json->string_at("execute");
  for (const auto& [name, value] : *json->if_object()) {
    if (name == "execute" || name == "id") continue;
    if (name != "arguments" || value.if_object() == nullptr) {
      spoken.command = loggable(name);
      spoken.refused = refusal(name);
      return spoken;
    }
    if (spoken.command == "input-send-event" && !only_reset_keys(value)) {
      spoken.refused = refusal("input-send-event with other keys than control, alt and delete");
      return spoken;
    }
    spoken.arguments = dump_json(value);
  }
  if (spoken.command != "qmp_capabilities") check_allowed(spoken, rules);
  spoken.command = loggable(spoken.command);
  return spoken;
}

Spoken judge_hmp(std::string_view line, const vmm::GuardRules& rules) {
  Spoken spoken;
  if (line.empty()) return spoken;
  const auto known = std::ranges::find(kTranslations, line, &Translation::words);
  constexpr std::string_view kBalloon = "balloon ";
  if (known != kTranslations.end()) {
    spoken.command = known->command;
  } else if (line.starts_with(kBalloon)) {
    std::uint32_t mebibytes = 0;
    const char* const last = line.data() + line.size();
    const auto [end, error] = std::from_chars(line.data() + kBalloon.size(), last, mebibytes);
    if (error != std::errc() || end != last) return refused("'balloon' takes a number of MiB");
    spoken.command = "balloon";
    spoken.arguments = fmt::format("{{\"value\":{}}}", static_cast<std::uint64_t>(mebibytes) << 20U);
  } else {
    spoken.command = loggable(line.substr(0, line.find(' ')));
    spoken.refused = refusal(spoken.command);
    return spoken;
  }
  check_allowed(spoken, rules);
  return spoken;
}

std::string hmp_answer(std::string_view command, const Json& returned) {
  if (command == "query-status") return fmt::format("VM status: {}\r\n", loggable(returned.string_at("status")));
  if (command == "query-balloon") {
    const Json* const actual = returned.find("actual");
    if (actual != nullptr && actual->if_integer() != nullptr) {
      return fmt::format("balloon: actual={}\r\n", *actual->if_integer() >> 20);
    }
  }
  return {};
}

bool passes(const HttpRequest& request, const vmm::GuardRules& rules) {
  return std::ranges::find(rules.allowed, request.method + " " + request.target) != rules.allowed.end();
}

void hide(Json& json, const std::vector<std::string>& names) {
  if (auto* const members = json.if_object()) {
    std::erase_if(*members,
                  [&](const Json::Member& member) { return std::ranges::find(names, member.first) != names.end(); });
    for (auto& [name, value] : *members) hide(value, names);
  } else if (auto* const elements = json.if_array()) {
    for (Json& element : *elements) hide(element, names);
  }
}

}  // namespace vmcred::supervise
