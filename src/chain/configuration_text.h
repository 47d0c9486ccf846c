// Texts of configurations taken apart: YAML and JSON as values with their keys and lines, QEMU's -readconfig, shell
// words.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace vmcred::chain {

struct Value {
  std::vector<std::string> keys;  ///< the way down to it; "[0]" is an element of a list
  std::string text;
  int line = 0;
};

/// All scalars of a YAML or JSON document, in their order. Anchors and tags are let pass and not followed.
Result<std::vector<Value>> read_values(std::string_view text);

/// QEMU's configuration files: [smbios], [fw_cfg "x"], [object "y"] with key = "value". keys: section and key. Nothing
/// is refused; what is no such line is left out.
std::vector<Value> read_qemu_configuration(std::string_view text);

/// The words as a shell takes them apart: quotes and backslashes, no expansion.
std::vector<std::string> shell_words(std::string_view text);

}  // namespace vmcred::chain
