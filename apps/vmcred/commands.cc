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
      &kVarsFix,
      &kVarsRotate,
      &kVarsPrune,
      &kVarsExport,
      &kVarsImport,
      &kVarsRename,
      &kVarsUpload,
      &kVarsKeygen,
      &kSecretsWho,
      &kSecretsWhat,
      &kSecretsUsersList,
      &kSecretsUsersAdd,
      &kSecretsUsersRemove,
      &kSecretsUsersAddKey,
      &kSecretsUsersRemoveKey,
      &kSecretsUsersAddSecret,
      &kSecretsUsersRemoveSecret,
      &kSecretsMachinesList,
      &kSecretsMachinesAdd,
      &kSecretsMachinesRemove,
      &kSecretsMachinesRename,
      &kSecretsMachinesAddSecret,
      &kSecretsMachinesRemoveSecret,
      &kSecretsGroupsList,
      &kSecretsGroupsAddUser,
      &kSecretsGroupsRemoveUser,
      &kSecretsGroupsAddMachine,
      &kSecretsGroupsRemoveMachine,
      &kSecretsGroupsAddSecret,
      &kSecretsGroupsRemoveSecret,
      &kSecretsKeyShow,
      &kCheck,
      &kDoctor,
      &kActivate,
      &kDeploy,
      &kVmList,
      &kVmPlan,
      &kVmRun,
      &kVmRefresh,
      &kVmStop,
      &kVmStatus,
      &kVmUnits,
      &kExec,
      &kInspect,
      &kDemo,
      &kHelp,
      &kCompletion,
  };
  return kCommands;
}

}  // namespace vmcred::app
