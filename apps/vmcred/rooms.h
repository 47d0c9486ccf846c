// The table of tables: a room a noun, in the order of help. Each folder's commands.cc has its own.
#pragma once

#include "command.h"

namespace vmcred::app {

/// The commands of one folder, under one heading of help.
struct Room {
  std::string_view title;
  std::span<const Command* const> commands;
};

extern const Room kProjectRoom;
extern const Room kVarsRoom;
extern const Room kSecretsRoom;
extern const Room kSignaturesRoom;
extern const Room kChainRoom;
extern const Room kHostRoom;
extern const Room kVmRoom;
extern const Room kHelpRoom;

[[nodiscard]] std::span<const Room* const> rooms();
/// Those of all rooms, in the same order.
[[nodiscard]] std::span<const Command* const> commands();

}  // namespace vmcred::app
