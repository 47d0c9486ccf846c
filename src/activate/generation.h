// A generation: all of a machine's vars as files in memory, published as a whole by moving one link.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::activate {

/// Where generations are. Tests put them elsewhere and mount nothing.
struct Places {
  std::string generations = "/run/vmcred.d";  ///< holds 1, 2, …
  std::string link = "/run/vmcred/vars";      ///< points to the present one
  bool mount = true;                          ///< generations must be on memory that is never swapped
};

/// One file to be published. The value is asked for when it is its turn, from any thread, and wiped right after.
struct Item {
  std::string path;  ///< relative: "per-machine/M/GEN/FILE"
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0400;
  std::function<Result<Secret>()> value;
};

struct Failed {
  std::string path;
  Error error;
};

enum class ChangeKind : std::uint8_t { added, content, owner, removed };
std::string_view change_name(ChangeKind kind);
struct Change {
  std::string path;
  ChangeKind kind;
};

struct Published {
  std::uint64_t number = 0;
  bool first = false;     ///< there was no generation before
  bool switched = false;  ///< false: nothing differs, the present one stays
  std::vector<Change> changes = {};
  std::vector<Failed> failed = {};  ///< not in the generation; the others are
};

/// Builds the next generation from `items` and publishes it; the one before is wiped and removed. Folders are 0751 and
/// root's, files get owner and mode before anybody can reach them. An item whose value cannot be had is left out and
/// named; any other failure leaves the present generation as it was.
Result<Published> publish_generation(const Places& places, const std::vector<Item>& items);

/// The number of the generation that the link shows; none: nothing is active.
Result<std::optional<std::uint64_t>> present_generation(const Places& places);

/// To be held while values of the present generation are handed to what runs, and taken before they are read: of two
/// activations at once the second waits, and nobody is left with values that were already replaced when they came.
Result<Fd> take_turn(const Places& places);

/// Overwrites and removes every file of a folder that is not open elsewhere (one that is open is only removed, so that
/// nobody reads zeros for a secret), then the folder.
Result<> wipe_tree(const std::string& path);

}  // namespace vmcred::activate
