// The inside of a KeyRing, for the files of src/store alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "age/keys.h"
#include "store/key_ring.h"

namespace vmcred::store {

struct KeyRing::Keys {
  age::Identities identities = {};
  std::vector<std::string> recipients = {};  ///< sorted
  std::vector<std::string> sources = {};
  Result<> add(std::string_view text, const std::string& source);
};

}  // namespace vmcred::store
