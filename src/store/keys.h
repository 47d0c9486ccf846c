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
  std::vector<std::string> age_recipients = {};
  age::Identities slow = {};  ///< those of the identities that ask a plugin
  std::vector<std::string> sources = {};
  std::vector<Error> problems = {};
  bool of_host = false;  ///< a machine's own, not a person's
  /// Takes what one place gave.
  void add(age::Identities found, const std::vector<std::string>& noted, bool ssh, const std::string& source);
};

}  // namespace vmcred::store
