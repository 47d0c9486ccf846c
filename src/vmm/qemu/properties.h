// The value of a QEMU option taken apart: "type,key=value,…" with doubled commas, or a JSON object.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vmcred::vmm::qemu {

struct Property {
  std::string key;
  std::string value;
};

/// All of them in their order; a key that stands there twice does so here. The first element is `implied`'s when it has
/// no
/// '='; a later one without '=' is "on". Of a JSON object the members of the outermost level, lists and objects as
/// their JSON. `invalid_data`: a '{' begins what is no JSON.
Result<std::vector<Property>> read_properties(std::string_view value, std::string_view implied);

/// The values of `key`, each.
std::vector<std::string> values_of(const std::vector<Property>& properties, std::string_view key);

/// Whether one of its values says yes, in one of the ways that QEMU takes.
bool says_yes(const std::vector<Property>& properties, std::string_view key);

}  // namespace vmcred::vmm::qemu
