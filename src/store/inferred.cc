#include "store/inferred.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "declare/names.h"
#include "store/access.h"
#include "store/repository.h"

namespace vmcred::store {
namespace {

constexpr std::string_view kAgeStore = "secrets/clan-vars";  // of clan's secretStore "age"

/// The machines that a secret's links let read it, groups included. Links that are damaged grant nothing; `vars check`
/// tells.
std::set<std::string> machines_reading(Principals& principals, const std::vector<std::string>& machines,
                                       const VarId& id) {
  std::set<std::string> readers;
  const Result<Acl> acl = principals.acl("vars/" + rel_path(id));
  if (!acl) return readers;
  for (const std::string& machine : machines)
    if (reads(principals, acl->links, Kind::machine, machine)) readers.insert(machine);
  return readers;
}

/// What is stored of a generator for one owner, with the machines that read each secret.
struct Stored {
  declare::Generator generator;
  std::map<std::string, std::set<std::string>> readers = {};
};

/// Where each secret is deployed, by the links of this owner's own files.
void learn_deployment(Stored& stored, const Placement& placement) {
  declare::Generator& generator = stored.generator;
  std::set<std::string> all;
  for (const auto& [file, readers] : stored.readers) all.insert(readers.begin(), readers.end());
  if (placement.sharing == declare::Sharing::per_machine) all = {placement.owner};
  if (placement.sharing == declare::Sharing::per_vm) generator.vms = {placement.owner};
  generator.machines.assign(all.begin(), all.end());
  for (auto& [name, file] : generator.files) {
    if (!file.secret) continue;
    const std::set<std::string>& readers = stored.readers[name];
    file.deploy = !all.empty() && std::ranges::includes(readers, all);
  }
}

}  // namespace

bool holds_store(const std::string& folder) {
  return is_folder(join_path(folder, "vars")) || is_folder(join_path(folder, "sops/machines")) ||
         is_folder(join_path(folder, kAgeStore));
}

bool is_inferred(const declare::Declaration& declaration) {
  return !declaration.file.empty() && declaration.file == declaration.folder;
}

Result<declare::Declaration> inferred_declaration(const std::string& folder) {
  if (is_folder(join_path(folder, kAgeStore)))
    return hint(fail(Errc::unavailable,
                     "'{}' is the store of clan's secretStore \"age\", and vmcred keeps secrets in the \"sops\" store",
                     kAgeStore),
                "to move: 'clan vars export DIR', set clan.core.vars.settings.secretStore = \"sops\", 'clan vars "
                "import DIR'; then remove DIR and that folder");
  declare::Declaration declaration;
  TRY_LET(const Repository repository, Repository::open(folder));
  declaration.file = repository.folder();  // which no declaration of ours has as its file
  declaration.folder = repository.folder();
  Principals principals(repository);
  TRY_LET(const std::vector<std::string> machines, principals.names(Kind::machine));
  for (const std::string& name : machines)
    if (declare::valid_machine_name(name)) declaration.machines[name] = {.name = name};
  TRY_LET(const std::vector<VarId> list, repository.list());
  std::map<GeneratorId, Stored> known;
  for (const VarId& id : list) {
    const Placement& placement = id.generator.placement;
    if (placement.sharing == declare::Sharing::per_machine)
      declaration.machines.try_emplace(placement.owner, declare::Machine{.name = placement.owner});
    Stored& stored = known[id.generator];
    if (stored.generator.name.empty()) {
      stored.generator = {.name = id.generator.generator, .sharing = placement.sharing, .foreign = true};
      stored.generator.place.file = Repository::generator_path(id.generator);
    }
    const bool secret = repository.form(id) != Form::open;
    stored.generator.files[id.file] = {
        .name = id.file, .secret = secret, .allow_empty = true, .place = {.file = "vars/" + rel_path(id)}};
    if (secret) stored.readers[id.file] = machines_reading(principals, machines, id);
  }
  for (auto& [id, stored] : known) {
    learn_deployment(stored, id.placement);
    const bool first = !declaration.generators.contains(id.generator);
    declaration.generators.emplace(first ? id.generator : rel_dir(id), std::move(stored.generator));
  }
  return declaration;
}

}  // namespace vmcred::store
