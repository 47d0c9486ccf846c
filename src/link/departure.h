// How a guest shuts down, as it stands in frames of the link.
#pragma once

#include <cstdint>
#include <string_view>

namespace vmcred::link {

enum class Departure : std::uint8_t { power_off = 0, reboot = 1, halt = 2, kexec = 3 };
inline constexpr std::uint8_t kLastDeparture = 3;

/// systemd's words (X_SYSTEMD_SHUTDOWN=, shutdown(8)): "poweroff", "reboot", "halt", "kexec".
inline constexpr std::string_view departure_name(Departure how) {
  switch (how) {
    case Departure::power_off:
      return "poweroff";
    case Departure::reboot:
      return "reboot";
    case Departure::halt:
      return "halt";
    case Departure::kexec:
      break;
  }
  return "kexec";
}

/// The guest will not run on, nor come back by itself.
inline constexpr bool is_final(Departure how) { return how == Departure::power_off || how == Departure::halt; }

}  // namespace vmcred::link
