#include "vmm/qemu/properties.h"

#include <algorithm>

#include "base/json.h"

namespace vmcred::vmm::qemu {
namespace {

std::string text_of_json(const Json& json) {
  if (json.if_string() != nullptr) return *json.if_string();
  return dump_json(json);
}

Result<std::vector<Property>> read_json(std::string_view value) {
  TRY_LET(const Json json, parse_json(value));
  if (json.if_object() == nullptr) return fail(Errc::invalid_data, "it is no JSON object");
  std::vector<Property> properties;
  for (const auto& [key, member] : *json.if_object()) {
    std::string text = text_of_json(member);
    while (text.ends_with('\n')) text.pop_back();
    properties.push_back({key, std::move(text)});
  }
  return properties;
}

}  // namespace

Result<std::vector<Property>> read_properties(std::string_view value, std::string_view implied) {
  if (value.starts_with('{')) return read_json(value);
  std::vector<std::string> parts(1);
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] != ',') {
      parts.back() += value[i];
    } else if (i + 1 < value.size() && value[i + 1] == ',') {
      parts.back() += value[++i];
    } else {
      parts.emplace_back();
    }
  }
  std::vector<Property> properties;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const std::size_t equals = parts[i].find('=');
    if (equals != std::string::npos) {
      properties.push_back({parts[i].substr(0, equals), parts[i].substr(equals + 1)});
    } else if (i == 0) {
      properties.push_back({std::string(implied), parts[i]});
    } else if (!parts[i].empty()) {
      properties.push_back({parts[i], "on"});
    }
  }
  return properties;
}

std::vector<std::string> values_of(const std::vector<Property>& properties, std::string_view key) {
  std::vector<std::string> values;
  for (const Property& property : properties)
    if (property.key == key) values.push_back(property.value);
  return values;
}

bool says_yes(const std::vector<Property>& properties, std::string_view key) {
  return std::ranges::any_of(values_of(properties, key), [](const std::string& value) {
    return value != "off" && value != "no" && value != "n" && value != "false";
  });
}

}  // namespace vmcred::vmm::qemu
