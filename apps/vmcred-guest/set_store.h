// Where an agent keeps sets of credentials: a ramfs of its own, from which one folder at a time is bound over the
// folder that PID 1 hands to services. One mount is one atomic change; nothing is ever half there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "base/secret.h"
#include "credentials.h"
#include "link/set.h"

namespace vmcred::guest {

struct StorePlaces {
  std::string folder = "/run/vmcred";     ///< becomes a ramfs with mode 0700
  std::string system = present_folder();  ///< what services load from; made where it is not there
  bool exchanges = true;  ///< uses what Linux has from 6.5 on where it is there; a test looks at older ones
};

class SetStore {
 public:
  /// Mounts the ramfs where it is not yet. Needs root and PID 1's mount namespace.
  static Result<SetStore> open(StorePlaces places = {});

  /// The generation whose set is in place; 0: what PID 1 imported.
  [[nodiscard]] Result<std::uint64_t> current() const;

  /// Puts a whole set in place: files of mode 0400, read-only for everybody. The link's own credential is kept.
  Result<> put(const link::Set& set);
  /// Takes the set in place away again; the one before it shows.
  Result<> take_back();
  /// Wipes the files of all sets but the one in place.
  Result<> forget_others();

  /// The session secret of the last contact; empty before the first.
  [[nodiscard]] Result<std::optional<Secret>> session() const;
  Result<> keep_session(const Secret& session);

 private:
  explicit SetStore(StorePlaces places) : places_(std::move(places)) {}
  [[nodiscard]] std::string set_folder(const std::string& name) const { return places_.folder + "/sets/" + name; }
  StorePlaces places_;
  std::optional<std::string> before_ = {};  ///< the set whose place the last put() took; none: it lies below
};

/// The generation named by the uppermost mount on `system` in a mountinfo text, when it is one of a set store: its root
/// within the ramfs is "/sets/N" or "/sets/N.TRY".
std::uint64_t mounted_generation(std::string_view mountinfo, std::string_view system);

}  // namespace vmcred::guest
