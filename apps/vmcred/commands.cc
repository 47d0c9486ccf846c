#include "commands.h"

#include <array>

namespace vmcred::app {

std::span<const Command* const> commands() {
  static constexpr std::array kCommands = {
      &kDeclare,
      &kActivate,
      &kVmList,
      &kVmPlan,
      &kVmRun,
      &kVmStop,
      &kVmStatus,
      &kVmUnits,
      &kInspect,
      &kHelp,
      &kCompletion,
  };
  return kCommands;
}

}  // namespace vmcred::app
