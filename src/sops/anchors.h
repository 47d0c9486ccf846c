// The names that keys have in a .sops.yaml: its anchors.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vmcred::sops {

/// Each text that has an anchor, in the order of the file: ("admin_alice", "age1…"), wherever YAML lets it stand.
/// Comments are none. What is no YAML is `invalid_data`.
Result<std::vector<std::pair<std::string, std::string>>> anchored_texts(std::string_view text);

}  // namespace vmcred::sops
