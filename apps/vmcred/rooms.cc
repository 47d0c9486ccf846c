#include "rooms.h"

#include <array>

namespace vmcred::app {

std::span<const Room* const> rooms() {
  static constexpr std::array kRooms = {
      &kProjectRoom, &kVarsRoom, &kSecretsRoom, &kSignaturesRoom, &kChainRoom, &kHostRoom, &kVmRoom, &kHelpRoom,
  };
  return kRooms;
}

std::span<const Command* const> commands() {
  static const std::vector<const Command*> all = [] {
    std::vector<const Command*> found;
    for (const Room* room : rooms()) found.insert(found.end(), room->commands.begin(), room->commands.end());
    return found;
  }();
  return all;
}

}  // namespace vmcred::app
