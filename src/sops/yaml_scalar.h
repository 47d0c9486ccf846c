// What a plain YAML scalar means to go-yaml v3, which sops reads with: it decides what bytes the MAC covers.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "sops/tree.h"

namespace vmcred::sops {

struct Scalar {
  Node::Type type = Node::Type::text;
  std::string text = {};  ///< in the MAC's form: "True", "10" for 0xA, "2024-01-01T00:00:00Z" for 2024-01-01
};

/// Only for scalars without quotes. An integer beyond int64 is `invalid_data`, as in sops.
Result<Scalar> resolve_plain_scalar(std::string_view text);

}  // namespace vmcred::sops
