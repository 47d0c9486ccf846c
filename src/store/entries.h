// What stands in a folder of the store, looked at without following any link.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::store {

struct Entry {
  enum class Type : std::uint8_t { file, folder, link, other };
  std::string name;
  Type type = Type::other;
  std::string target = {};  ///< what a link says
};

/// The entries of a folder that is open for reading, sorted by name. `shown`: its path for messages.
Result<std::vector<Entry>> entries_of(const Fd& folder, std::string_view shown);

/// The entries of the folder `path` below `root`, sorted by name. None when it does not exist; a folder that is reached
/// through a link is refused. `shown`: its path for messages.
Result<std::vector<Entry>> entries_in(const Fd& root, const std::string& path, std::string_view shown = {});

}  // namespace vmcred::store
