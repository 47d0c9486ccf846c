// The commands of this folder, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kSecretsList;
extern const Command kSecretsGet;
extern const Command kSecretsWho;
extern const Command kSecretsWhat;
extern const Command kSecretsUsersList;
extern const Command kSecretsUsersGet;
extern const Command kSecretsUsersAdd;
extern const Command kSecretsUsersRemove;
extern const Command kSecretsUsersAddKey;
extern const Command kSecretsUsersRemoveKey;
extern const Command kSecretsUsersAddSecret;
extern const Command kSecretsUsersRemoveSecret;
extern const Command kSecretsMachinesList;
extern const Command kSecretsMachinesGet;
extern const Command kSecretsMachinesAdd;
extern const Command kSecretsMachinesRemove;
extern const Command kSecretsMachinesRenewKey;
extern const Command kSecretsMachinesAddSecret;
extern const Command kSecretsMachinesRemoveSecret;
extern const Command kSecretsGroupsList;
extern const Command kSecretsGroupsAddUser;
extern const Command kSecretsGroupsRemoveUser;
extern const Command kSecretsGroupsAddMachine;
extern const Command kSecretsGroupsRemoveMachine;
extern const Command kSecretsGroupsAddSecret;
extern const Command kSecretsGroupsRemoveSecret;
extern const Command kSecretsKeyShow;
extern const Command kRecover;

}  // namespace vmcred::app
