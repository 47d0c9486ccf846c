#include "store/inferred.h"

#include <algorithm>

#include "base/file.h"
#include "declare/names.h"
#include "store/access.h"
#include "store/repository.h"

namespace vmcred::store {
namespace {

/// What a secret's links say of where it is deployed: a shared one to the machines among its readers, any to none where
/// there is no machine among them. Nobody may become a reader because the tree does not hold the word `deploy`.
void learn_deployment(Principals& principals, const VarId& id, declare::Generator& generator, declare::File& file) {
  const auto acl = principals.acl("vars/" + rel_path(id));
  if (!acl || !acl->bad.empty()) {  // damaged links are `vars check`'s to tell
    file.deploy = true;
    return;
  }
  const Placement& placement = id.generator.placement;
  if (placement.sharing == declare::Sharing::per_machine) {
    file.deploy = file.deploy || reads(principals, acl->links, Kind::machine, placement.owner);
    return;
  }
  file.deploy = file.deploy || !acl->links.machines.empty();
  if (placement.sharing != declare::Sharing::shared) return;
  for (const std::string& machine : acl->links.machines) {
    if (std::ranges::find(generator.machines, machine) == generator.machines.end()) generator.machines.push_back(machine);
  }
}

}  // namespace

bool holds_store(const std::string& folder) {
  return is_folder(join_path(folder, "vars")) || is_folder(join_path(folder, "sops/machines"));
}

Result<declare::Declaration> inferred_declaration(const std::string& folder) {
  declare::Declaration declaration;
  TRY_LET(const Repository repository, Repository::open(folder));
  declaration.file = folder;
  declaration.folder = repository.folder();
  Principals principals(repository);
  TRY_LET(const std::vector<std::string> machines, principals.names(Kind::machine));
  for (const std::string& name : machines)
    if (declare::valid_machine_name(name)) declaration.machines[name] = {.name = name};
  TRY_LET(const std::vector<VarId> stored, repository.list());
  for (const VarId& id : stored) {
    const Placement& placement = id.generator.placement;
    if (placement.sharing == declare::Sharing::per_machine) declaration.machines.try_emplace(placement.owner, declare::Machine{.name = placement.owner});
    // A name can be shared and of machines at once only in the middle of a change; the shared one is clan's newer.
    declare::Generator& generator = declaration.generators[id.generator.generator];
    if (generator.name.empty()) generator = {.name = id.generator.generator, .sharing = placement.sharing, .foreign = true};
    if (generator.sharing != placement.sharing) continue;
    const auto form = repository.form(id);
    const bool secret = form != Form::open;
    declare::File& file = generator.files.try_emplace(id.file, declare::File{.name = id.file, .secret = secret, .deploy = !secret, .allow_empty = true}).first->second;
    if (secret && !file.secret) {  // open for another owner: that says nothing of where secrets are deployed
      file.secret = true;
      file.deploy = false;
    }
    if (secret) learn_deployment(principals, id, generator, file);
    std::vector<std::string>& owners = placement.sharing == declare::Sharing::per_vm ? generator.vms : generator.machines;
    if (!placement.owner.empty() && std::ranges::find(owners, placement.owner) == owners.end()) owners.push_back(placement.owner);
  }
  for (auto& [name, generator] : declaration.generators) std::ranges::sort(generator.machines);
  return declaration;
}

}  // namespace vmcred::store
