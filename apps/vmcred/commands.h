// The commands, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kActivate;
extern const Command kCheck;
extern const Command kExplain;
extern const Command kCompletion;
extern const Command kDeclare;
extern const Command kDemo;
extern const Command kDeploy;
extern const Command kDoctor;
extern const Command kExec;
extern const Command kHelp;
extern const Command kImportAgenix;
extern const Command kImportSopsNix;
extern const Command kInit;
extern const Command kInspect;
extern const Command kRecover;
extern const Command kSecretsGroupsAddMachine;
extern const Command kSecretsGroupsAddSecret;
extern const Command kSecretsGroupsAddUser;
extern const Command kSecretsGroupsList;
extern const Command kSecretsGroupsRemoveMachine;
extern const Command kSecretsGet;
extern const Command kSecretsGroupsRemoveSecret;
extern const Command kSecretsList;
extern const Command kSecretsGroupsRemoveUser;
extern const Command kSecretsKeyShow;
extern const Command kSecretsMachinesAdd;
extern const Command kSecretsMachinesGet;
extern const Command kSecretsMachinesAddSecret;
extern const Command kSecretsMachinesList;
extern const Command kSecretsMachinesRemove;
extern const Command kSecretsMachinesRemoveSecret;
extern const Command kSecretsMachinesRename;
extern const Command kSecretsMachinesRenewKey;
extern const Command kSecretsUsersAdd;
extern const Command kSecretsUsersGet;
extern const Command kSecretsUsersAddKey;
extern const Command kSecretsUsersAddSecret;
extern const Command kSecretsUsersList;
extern const Command kSecretsUsersRemove;
extern const Command kSecretsUsersRemoveKey;
extern const Command kSecretsUsersRemoveSecret;
extern const Command kSecretsWhat;
extern const Command kSecretsWho;
extern const Command kSignaturesCheck;
extern const Command kSignaturesKeygen;
extern const Command kSignaturesShow;
extern const Command kSignaturesSign;
extern const Command kVarsCheck;
extern const Command kVarsExport;
extern const Command kVarsFix;
extern const Command kVarsGenerate;
extern const Command kVarsGet;
extern const Command kVarsImport;
extern const Command kVarsKeygen;
extern const Command kVarsList;
extern const Command kVarsPrune;
extern const Command kVarsRename;
extern const Command kVarsRotate;
extern const Command kVarsSet;
extern const Command kVarsUpload;
extern const Command kVmList;
extern const Command kVmPlan;
extern const Command kVmRun;
extern const Command kVmStatus;
extern const Command kVmRefresh;
extern const Command kVmStop;
extern const Command kVmUnits;

}  // namespace vmcred::app
