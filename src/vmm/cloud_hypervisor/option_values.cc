#include "vmm/cloud_hypervisor/option_values.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/spelling.h"

namespace vmcred::vmm::cloud_hypervisor {
namespace {

std::optional<std::int64_t> number_of(std::string_view text, bool suffix) {
  std::int64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (error != std::errc() || number < 0) return std::nullopt;
  if (end == last) return number;
  if (!suffix || end + 1 != last) return std::nullopt;
  const std::string_view kSuffixes = "KMGT";
  const std::size_t power = kSuffixes.find(*end);
  if (power == std::string_view::npos || number > (std::int64_t{1} << 20)) return std::nullopt;
  return number << (10 * (power + 1));
}

/// block/src/lib.rs, ImageType
std::optional<Json> image_type_of(std::string_view text) {
  for (const auto& [word, type] :
       {std::pair("raw", "Raw"), {"qcow2", "Qcow2"}, {"fixedvhd", "FixedVhd"}, {"vhdx", "Vhdx"}}) {
    if (text == word) return Json(type);
  }
  return std::nullopt;
}

std::optional<Json> value_of(std::string_view text, Kind kind) {
  if (kind == Kind::text) return Json(text);
  if (kind == Kind::image) return image_type_of(text);
  if (kind == Kind::boolean) {
    if (text == "on" || text == "true") return Json(true);
    if (text == "off" || text == "false") return Json(false);
    return std::nullopt;
  }
  const auto number = number_of(text, kind == Kind::size);
  if (!number) return std::nullopt;
  return Json(*number);
}

}  // namespace

Result<Properties> split_properties(std::string_view text) {
  Properties properties;
  std::string part;
  int depth = 0;
  bool quoted = false;
  const auto take = [&] {
    const std::size_t equals = part.find('=');
    properties.emplace_back(part.substr(0, equals), equals == std::string::npos ? "" : part.substr(equals + 1));
    part.clear();
  };
  for (const char c : text) {
    if (c == '"') {
      quoted = !quoted;
      continue;
    }
    if (!quoted && c == '[') ++depth;
    if (!quoted && c == ']') --depth;
    if (depth < 0) break;
    if (c == ',' && depth == 0 && !quoted) {
      take();
    } else {
      part += c;
    }
  }
  if (depth != 0 || quoted)
    return fail(Errc::usage, "brackets or quotes on cloud-hypervisor's command line do not match");
  take();
  return properties;
}

Result<Json> object_of(std::string_view option, const Properties& properties, std::span<const Key> keys) {
  Json object = Json::object();
  for (const auto& [name, text] : properties) {
    const auto key = std::ranges::find(keys, std::string_view(name), &Key::option);
    if (key == keys.end()) {
      std::vector<std::string> known;
      for (const Key& other : keys) known.emplace_back(other.option);
      return hint(fail(Errc::usage, "'{}' has a key '{}' that vmcred cannot translate for cloud-hypervisor's API",
                       option, name),
                  did_you_mean(name, known));
    }
    auto value = value_of(text, key->kind);
    if (!value) return fail(Errc::usage, "'{}' has no usable value for its key '{}'", option, name);
    object.set(std::string(key->api), *std::move(value));
  }
  return object;
}

Result<Json> console_of(std::string_view option, std::string_view text) {
  Json json = Json::object();
  if (text == "off" || text == "null" || text == "pty" || text == "tty") {
    std::string mode(text);
    mode.front() = static_cast<char>(mode.front() - 'a' + 'A');
    json.set("mode", mode);
    return json;
  }
  for (const auto& [name, mode] : {std::pair("file", "File"), std::pair("socket", "Socket")}) {
    const std::string prefix = std::string(name) + "=";
    if (text.starts_with(prefix)) {
      json.set("mode", mode).set(name, text.substr(prefix.size()));
      return json;
    }
  }
  return hint(fail(Errc::usage, "'{}' has a mode that vmcred cannot translate for cloud-hypervisor's API", option),
              "one of off, null, pty, tty, file=PATH, socket=PATH");
}

Result<std::vector<int>> fds_of(std::string_view text) {
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  std::vector<int> fds;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    const auto number = number_of(text.substr(0, end), false);
    if (!number || *number > 65535) return fail(Errc::usage, "'--net' has no usable value for its key 'fd'");
    fds.push_back(static_cast<int>(*number));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return fds;
}

}  // namespace vmcred::vmm::cloud_hypervisor
