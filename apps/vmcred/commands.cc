#include "commands.h"

#include <array>

namespace vmcred::app {

std::span<const Command* const> commands() {
  static constexpr std::array kCommands = {
      &kDeclare,
      &kActivate,
      &kVmList,
      &kVmRun,
      &kVmStop,
      &kVmStatus,
      &kHelp,
      &kCompletion,
  };
  return kCommands;
}

}  // namespace vmcred::app
