#include "store/rename.h"

#include <algorithm>
#include <functional>
#include <set>

#include "store/readers.h"
#include "store/record.h"

namespace vmcred::store {
namespace {

using declare::Sharing;

Result<std::set<GeneratorId>> stored_generators(const Repository& repository) {
  TRY_LET(const std::vector<VarId> all, repository.list());
  std::set<GeneratorId> ids;
  for (const VarId& id : all) ids.insert(id.generator);
  return ids;
}

/// Rewrites the dependency names in all records by `renamed` ("" leaves one as it is).
Result<> rename_in_records(const Repository& repository, const Lock& lock,
                           const std::function<std::string(const std::string&)>& renamed,
                           std::vector<std::string>& changed) {
  TRY_LET(const std::set<GeneratorId> ids, stored_generators(repository));
  for (const GeneratorId& id : ids) {
    TRY_LET(std::optional<Record> record, read_record(repository, id));
    if (!record) continue;
    std::map<std::string, std::string> dependencies;
    for (const auto& [key, digest] : record->dependencies) {
      const std::string name = renamed(key);
      dependencies.emplace(name.empty() ? key : name, digest);
    }
    if (dependencies == record->dependencies) continue;
    record->dependencies = std::move(dependencies);
    Change change;
    change.files[std::string(kRecordName)] = print_record(*record);
    TRY(publish(repository, lock, Repository::generator_path(id), change));
    changed.push_back(Repository::generator_path(id));
  }
  return {};
}

/// Nothing is moved before it is clear that everything can be.
Result<> check_free(const Repository& repository, const std::string& from, const std::string& to) {
  if (!exists(join_path(repository.folder(), from)) || !exists(join_path(repository.folder(), to))) return {};
  const std::string remedy =
      to.starts_with("vars/")
          ? fmt::format("; if '{}' is left of an old one, 'vmcred vars prune' removes what is not declared", to)
          : std::string();
  return hint(fail(Errc::usage, "'{}' cannot become '{}', which is there already", from, to),
              "choose another name" + remedy);
}

Result<> move_if_there(const Repository& repository, const Lock& lock, const std::string& from, const std::string& to,
                       std::vector<std::string>& changed) {
  if (!exists(join_path(repository.folder(), from))) return {};
  TRY(check_free(repository, from, to));
  TRY(move_folder(repository, lock, from, to));
  changed.insert(changed.end(), {from, to});
  return {};
}

}  // namespace

Result<std::vector<std::string>> rename_generator(const Repository& repository, const Lock& lock,
                                                  const std::string& before, const std::string& after) {
  TRY(check_part_name(after));
  std::vector<std::string> changed;
  TRY_LET(const std::set<GeneratorId> ids, stored_generators(repository));
  const auto after_of = [&](const GeneratorId& id) {
    return Repository::generator_path({.placement = id.placement, .generator = after});
  };
  for (const GeneratorId& id : ids)
    if (id.generator == before) TRY(check_free(repository, Repository::generator_path(id), after_of(id)));
  for (const GeneratorId& id : ids)
    if (id.generator == before)
      TRY(move_if_there(repository, lock, Repository::generator_path(id), after_of(id), changed));
  const auto renamed = [&](const std::string& key) -> std::string {
    // …/GENERATOR/FILE
    const std::size_t file = key.rfind('/');
    const std::size_t generator = file == std::string::npos || file == 0 ? file : key.rfind('/', file - 1);
    if (generator == std::string::npos || key.substr(generator + 1, file - generator - 1) != before) return {};
    return key.substr(0, generator + 1) + after + key.substr(file);
  };
  TRY(rename_in_records(repository, lock, renamed, changed));
  return changed;
}

Result<std::vector<std::string>> rename_machine(const Repository& repository, const Lock& lock,
                                                const std::string& before, const std::string& after) {
  TRY(check_machine_name(after));
  std::vector<std::string> changed;
  Principals principals(repository);
  const Result<std::vector<PublicKey>> old_keys = principals.keys(Kind::machine, before);
  const Result<std::vector<PublicKey>> new_keys = principals.keys(Kind::machine, after);
  TRY(check_free(repository, fmt::format("sops/secrets/{}-age.key", before),
                 fmt::format("sops/secrets/{}-age.key", after)));
  TRY(check_free(repository, "vars/per-machine/" + before, "vars/per-machine/" + after));
  if (old_keys) {
    if (new_keys && *new_keys != *old_keys)
      return fail(Errc::usage, "there is a machine '{}' with another key already", after);
    // The new name first: from here on both stand for the same key, and no secret is ever without its reader.
    if (!new_keys) TRY(write_principal(repository, lock, Kind::machine, after, *old_keys));
    principals = Principals(repository);
    TRY_LET(const std::vector<std::string> groups, principals.names(Kind::group));
    for (const std::string& group : groups) {
      TRY_LET(const Acl members, principals.group(group));
      if (!std::ranges::binary_search(members.links.machines, before)) continue;
      TRY(set_member(repository, lock, group, Kind::machine, after, true));
      TRY(set_member(repository, lock, group, Kind::machine, before, false));
      changed.push_back("sops/groups/" + group);
    }
    principals = Principals(repository);
    TRY_LET(const std::vector<SecretPlace> places, secret_places(repository));
    for (const SecretPlace& place : places) {
      TRY_LET(const Acl acl, principals.acl(place.folder));
      if (!std::ranges::binary_search(acl.links.machines, before)) continue;
      Adjustment change{.place = place, .links = acl.links, .relink = true};
      std::erase(change.links.machines, before);
      change.links.add(Kind::machine, after);
      TRY(adjust(repository, lock, principals, {}, change));
      changed.push_back(place.folder);
    }
  }
  TRY(move_if_there(repository, lock, fmt::format("sops/secrets/{}-age.key", before),
                    fmt::format("sops/secrets/{}-age.key", after), changed));
  TRY(move_if_there(repository, lock, "vars/per-machine/" + before, "vars/per-machine/" + after, changed));
  const std::string prefix = fmt::format("per-machine/{}/", before);
  TRY(rename_in_records(
      repository, lock,
      [&](const std::string& key) {
        return key.starts_with(prefix) ? fmt::format("per-machine/{}/{}", after, key.substr(prefix.size()))
                                       : std::string();
      },
      changed));
  if (old_keys) {
    TRY(write_principal(repository, lock, Kind::machine, before, {}));
    changed.insert(changed.end(), {"sops/machines/" + before, "sops/machines/" + after});
  }
  return changed;
}

}  // namespace vmcred::store
