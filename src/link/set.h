// A complete set of credentials as the host sends it to an agent, and what to do in the guest once it is in place.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/secret.h"

namespace vmcred::link {

enum class Action : std::uint8_t { restart = 0, reload = 1, signal = 2, none = 3 };

/// What happens to a unit whose credential changed.
struct UnitAction {
  std::string unit;
  Action action = Action::restart;
  std::string signal = {};  ///< "HUP" for Action::signal
  /// How long the unit must stay active before the new set counts as good; with a command: how long that may fail.
  std::uint16_t health_seconds = 0;
  std::vector<std::string> health_command = {};  ///< argv; exit 0: the unit is well
  bool operator==(const UnitAction&) const = default;
};

/// All credentials of one generation: a set replaces the one before it as a whole.
struct Set {
  std::uint64_t generation = 1;
  std::map<std::string, Secret> values = {};  ///< guest name -> value
  std::vector<UnitAction> actions = {};
  [[nodiscard]] Set clone() const;
};

inline constexpr std::size_t kMaxSetCount = 1024;
inline constexpr std::size_t kMaxSetBytes = 1024 * 1024;  ///< systemd's CREDENTIALS_TOTAL_SIZE_MAX
inline constexpr std::size_t kMaxActions = 256;
inline constexpr std::size_t kMaxSignal = 16;
inline constexpr std::size_t kMaxCommandWords = 12;  ///< of kMaxName bytes each, so that an action fits into one frame

}  // namespace vmcred::link
