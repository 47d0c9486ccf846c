// What makes a store believable: that somebody trusted put there what is read from it.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"

namespace vmcred::store {

/// What stands in one folder of the store, by paths inside it.
struct Contents {
  std::map<std::string, std::string> files = {};  ///< SHA-256 in hex
  std::map<std::string, std::string> links = {};  ///< where each leads
  bool operator==(const Contents&) const = default;
};

/// Asked for each file that is read and each folder that is changed. Usable from many threads at once.
class Proof {
 public:
  virtual ~Proof() = default;
  Proof() = default;
  Proof(const Proof&) = delete;
  Proof& operator=(const Proof&) = delete;

  /// That `text` is what belongs at `path` (below the project folder `root`). `mismatch`: it was changed, swapped or
  /// never vouched for; the hint says what to do.
  virtual Result<> check_file(const Fd& root, const std::string& path, std::string_view text) const = 0;
  /// That `links`, by name, are the links that belong in the folder `place`.
  virtual Result<> check_links(const Fd& root, const std::string& place,
                               const std::map<std::string, std::string>& links) const = 0;
  /// What belongs in `folder`, one that is signed as one, when it is vouched for.
  [[nodiscard]] virtual Result<Contents> vouched(const Fd& root, const std::string& folder) const = 0;
  /// Whether changes can be vouched for here: otherwise nothing may be written.
  [[nodiscard]] virtual Result<> may_change() const = 0;
  /// What goes into .vmcred.sig of the new tree `tree` that becomes `folder`. `mismatch` when `tree` holds anything
  /// else than `meant`: nothing is vouched for that nobody has looked at.
  [[nodiscard]] virtual Result<std::string> sign(const Fd& tree, const std::string& folder,
                                                 const Contents& meant) const = 0;
  /// `folder` has changed.
  virtual void forget(const std::string& folder) const = 0;
};

}  // namespace vmcred::store
