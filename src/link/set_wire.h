// A set of credentials as frames, one at a time as the stream takes them, and back into a Set.
#pragma once

#include <map>
#include <optional>

#include "base/result.h"
#include "link/set.h"
#include "link/wire.h"

namespace vmcred::link {

/// `usage` when the set is over the limits of set.h or has a bad name.
Result<> check_set(const Set& set);

/// Walks over a set that outlives it. Only the frame at hand is ever copied.
class SetWriter {
 public:
  explicit SetWriter(const Set& set) : set_(&set), value_(set.values.begin()) {}
  struct Piece {
    Type type;
    Secret payload;
  };
  /// The next frame, or nothing after the last.
  std::optional<Piece> next();

 private:
  enum class Step : std::uint8_t { begin, value, chunk, action, done };
  const Set* set_;
  Step step_ = Step::begin;
  std::map<std::string, Secret>::const_iterator value_;
  std::size_t offset_ = 0;
  std::size_t action_ = 0;
};

/// Puts a set together again.
class SetReader {
 public:
  /// Takes one frame of the set_* types; gives the set with its last frame. `invalid_data`: out of order, malformed,
  /// over a limit, or not what its beginning announced.
  Result<std::optional<Set>> take(Type type, Bytes payload);

 private:
  std::optional<Set> set_;
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
  Secret* value_ = nullptr;  // the one being filled
  std::size_t filled_ = 0;
};

}  // namespace vmcred::link
