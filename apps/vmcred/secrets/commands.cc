#include "secrets/commands.h"

#include "rooms.h"
#include "vars/commands.h"

namespace vmcred::app {
namespace {

constexpr const Command* kCommands[] = {
    &kSecretsList,
    &kSecretsGet,
    &kSecretsWho,
    &kSecretsWhat,
    &kSecretsUsersList,
    &kSecretsUsersGet,
    &kSecretsUsersAdd,
    &kSecretsUsersRemove,
    &kSecretsUsersAddKey,
    &kSecretsUsersRemoveKey,
    &kSecretsUsersAddSecret,
    &kSecretsUsersRemoveSecret,
    &kSecretsMachinesList,
    &kSecretsMachinesGet,
    &kSecretsMachinesAdd,
    &kSecretsMachinesRemove,
    &kSecretsMachinesRename,
    &kSecretsMachinesRenewKey,
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
    &kRecover,
};

}  // namespace

constinit const Room kSecretsRoom = {"Who can read what", kCommands};

}  // namespace vmcred::app
