// vmcred vars keygen: a private key for whoever is at the terminal, and his place among the project's users.
#include "secrets/identity.h"
#include "vars/commands.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"--user NAME", "your name among the project's users (default: your login name)"},
};

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const store::KeyRing keys, own_keys(world));
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  TRY(join_as_user(project, lock, keys, given.at("user"), {}, world));
  return Exit::done;
}

}  // namespace

constinit const Command kVarsKeygen = {
    "vars keygen",
    "make your private key and add you to the project's users",
    "Uses the key that is found where sops and clan look for it; makes one where there is none. Being a user\n"
    "gives no access to what is stored already: somebody who has it must give it ('vmcred secrets users').",
    kParameters,
    run,
};

}  // namespace vmcred::app
