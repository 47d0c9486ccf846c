#include "commands.h"

#include <array>

namespace vmcred::app {

std::span<const Command* const> commands() {
  static constexpr std::array kCommands = {
      &kInit,
      &kDeclare,
      &kImportAgenix,
      &kImportSopsNix,
      &kVarsGenerate,
      &kVarsList,
      &kVarsGet,
      &kVarsSet,
      &kVarsCheck,
      &kCheck,
      &kActivate,
      &kVmList,
      &kVmPlan,
      &kVmRun,
      &kVmStop,
      &kVmStatus,
      &kVmUnits,
      &kInspect,
      &kDemo,
      &kHelp,
      &kCompletion,
  };
  return kCommands;
}

}  // namespace vmcred::app
