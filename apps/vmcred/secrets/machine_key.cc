// vmcred secrets machines renew-key: another key pair for a machine, because somebody may know the old one.
#include "secrets/access.h"
#include "secrets/commands.h"
#include "store/refused.h"
#include "terminal/answer.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {{"MACHINE", "a machine"}};

Result<Exit> run(const Given& given, World& world) {
  const std::string machine = given.at("MACHINE");
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  if (!principals.exists(store::Kind::machine, machine))
    return store::no_such(principals, store::Kind::machine, machine);
  TRY(renew_machine_key(project, lock, machine, world));
  answer_with(world, "name", machine);
  return Exit::done;
}

}  // namespace

constinit const Command kSecretsMachinesRenewKey = {
    "secrets machines renew-key",
    "give a machine another key",
    "Makes a new key pair, encrypts all that the machine can read to it and no longer to the old one. The machine\n"
    "gets the private half with the next 'vmcred deploy'. The values themselves stay: 'vars rotate' changes those.",
    kParameters,
    run,
};

}  // namespace vmcred::app
