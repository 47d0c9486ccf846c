// A generation: all of a machine's vars as files in memory, published as a whole by moving one link.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
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
  /// Asked only when the value cannot be had: whether the one of the generation before may stay. None: it may.
  std::function<bool()> may_stay = {};
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

/// A file that the generation before had, and that is as good as it was.
struct Kept {
  std::string path;
  SystemTime since;  ///< when this value came to this machine
};

struct Published {
  std::uint64_t number = 0;  ///< 0: nothing is active
  bool first = false;        ///< there was no generation before
  bool switched = false;     ///< false: nothing differs, the present one stays
  std::size_t files = 0;     ///< in the generation
  std::vector<Change> changes = {};
  std::vector<Failed> failed = {};  ///< could not be read
  std::vector<Kept> kept = {};      ///< what stays of generators that could not be read as a whole
};

/// Makes the memory that generations lie in, and the folder of the link.
Result<> make_places(const Places& places);

/// Builds the next generation from `items` and publishes it; the one before is wiped and removed. Folders are 0751 and
/// root's, files get owner and mode before anybody can reach them.
///
/// An item whose value cannot be had is named. It is not unwanted for that: all that the generation before had in the
/// item's folder stays as it was, so that a certificate is never without its key; but not what it may_stay() no longer.
/// Where there was none before, the others go on, and where nothing at all can be read nothing is published. Any other
/// failure leaves the present generation as it was.
Result<Published> publish_generation(const Places& places, const std::vector<Item>& items);

/// Wipes every generation but the one that the link shows: what an activation left that was killed.
Result<> remove_leftovers(const Places& places);

/// The number of the generation that the link shows; none: nothing is active.
Result<std::optional<std::uint64_t>> present_generation(const Places& places);

/// To be held while values of the present generation are handed to what runs, and taken before they are read: of two
/// activations at once the second waits, and nobody is left with values that were already replaced when they came.
Result<Fd> take_turn(const Places& places);

/// Overwrites and removes every file of a folder that is not open elsewhere (one that is open is only removed, so that
/// nobody reads zeros for a secret), then the folder.
Result<> wipe_tree(const std::string& path);
/// The same for one file.
Result<> wipe_file(const std::string& path);

}  // namespace vmcred::activate
