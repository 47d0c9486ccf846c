#include "store/layout.h"

#include <algorithm>
#include <map>

#include "base/spelling.h"
#include "declare/names.h"

namespace vmcred::store {
namespace {

using declare::Sharing;

/// clan's rules for names below sops/: `[a-z_]([a-z0-9_-]{0,31})?`
bool valid_principal(std::string_view name) {
  const auto lower = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  return !name.empty() && name.size() <= 32 && lower(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return lower(c) || (c >= '0' && c <= '9') || c == '-'; });
}

const declare::Generator* find_generator(const declare::Declaration& declaration, std::string_view name) {
  const auto found = declaration.generators.find(std::string(name));
  return found == declaration.generators.end() ? nullptr : &found->second;
}

/// The generator as the owner who is meant has it: an inferred declaration knows each owner's by itself
/// (store/inferred.h).
const declare::Generator* find_generator_of(const declare::Declaration& declaration, std::string_view name,
                                            std::string_view machine, std::string_view vm) {
  const auto of = [&](Sharing sharing, std::string_view owner) {
    return find_generator(declaration,
                          rel_dir({.placement = {sharing, std::string(owner)}, .generator = std::string(name)}));
  };
  const declare::Generator* const plain = find_generator(declaration, name);
  const auto has = [&](const std::vector<std::string>& list, std::string_view owner) {
    return std::ranges::find(list, owner) != list.end();
  };
  if (plain == nullptr || has(plain->vms, vm) ||
      (plain->sharing == Sharing::per_machine && has(plain->machines, machine)))
    return plain;
  for (const auto& [sharing, owner] : {std::pair{Sharing::per_vm, vm}, std::pair{Sharing::per_machine, machine},
                                       std::pair{Sharing::shared, std::string_view()}})
    if (const declare::Generator* const found = of(sharing, owner)) return found;
  return plain;
}

template <class Map>
std::vector<std::string> names_of(const Map& map) {
  std::vector<std::string> names;
  for (const auto& [name, value] : map) names.push_back(name);
  return names;
}

bool contains(const std::vector<std::string>& list, std::string_view item) {
  return std::ranges::find(list, item) != list.end();
}

/// The hosts that a placement's deployed values go to.
std::vector<std::string> hosts_of(const declare::Declaration& declaration, const declare::Generator& generator,
                                  const Placement& placement) {
  switch (placement.sharing) {
    case Sharing::per_machine:
      return {placement.owner};
    case Sharing::per_vm: {
      const auto vm = declaration.vms.find(placement.owner);
      return vm == declaration.vms.end() ? std::vector<std::string>{} : std::vector{vm->second.machine};
    }
    case Sharing::shared:
      break;
  }
  std::vector<std::string> machines = generator.machines;
  std::ranges::sort(machines);
  return machines;
}

}  // namespace

std::string rel_dir(const GeneratorId& id) {
  switch (id.placement.sharing) {
    case Sharing::per_machine:
      return fmt::format("per-machine/{}/{}", id.placement.owner, id.generator);
    case Sharing::per_vm:
      return fmt::format("per-vm/{}/{}", id.placement.owner, id.generator);
    case Sharing::shared:
      break;
  }
  return "shared/" + id.generator;
}

std::string rel_path(const VarId& id) { return rel_dir(id.generator) + "/" + id.file; }

std::string spoken(const Placement& placement) {
  switch (placement.sharing) {
    case Sharing::per_machine:
      return fmt::format("machine {}", placement.owner);
    case Sharing::per_vm:
      return fmt::format("vm {}", placement.owner);
    case Sharing::shared:
      break;
  }
  return "shared";
}

std::string spoken(const VarId& id) {
  return fmt::format("{}/{} ({})", id.generator.generator, id.file, spoken(id.generator.placement));
}

std::string spoken(const GeneratorId& id) { return fmt::format("{} ({})", id.generator, spoken(id.placement)); }

std::vector<Placement> placements(const declare::Generator& generator) {
  if (generator.sharing == Sharing::shared) return {{.sharing = Sharing::shared}};
  std::vector<std::string> owners = generator.sharing == Sharing::per_vm ? generator.vms : generator.machines;
  std::ranges::sort(owners);
  std::vector<Placement> all;
  for (std::string& owner : owners) all.push_back({.sharing = generator.sharing, .owner = std::move(owner)});
  return all;
}

Result<VarId> resolve(const declare::Declaration& declaration, const declare::VarRef& ref, std::string_view machine,
                      std::string_view vm) {
  const declare::Generator* generator = find_generator_of(declaration, ref.generator, machine, vm);
  if (generator == nullptr)
    return hint(fail(Errc::not_found, "no generator '{}' is declared", ref.generator),
                near_or_known(ref.generator, names_of(declaration.generators)));
  if (!generator->files.contains(ref.file))
    return hint(fail(Errc::not_found, "generator '{}' has no file '{}'", ref.generator, ref.file),
                near_or_known(ref.file, names_of(generator->files)));
  VarId id{.generator = {.generator = ref.generator}, .file = ref.file};
  switch (generator->sharing) {
    case Sharing::shared:
      return id;
    case Sharing::per_machine:
      if (!contains(generator->machines, machine))
        return fail(Errc::usage, "generator '{}' is not declared for machine '{}'", ref.generator, machine);
      id.generator.placement = {.sharing = Sharing::per_machine, .owner = std::string(machine)};
      return id;
    case Sharing::per_vm:
      break;
  }
  if (vm.empty() || !contains(generator->vms, vm))
    return hint(fail(Errc::usage, "generator '{}' has a value for each of its vms", ref.generator),
                "name the vm with --vm");
  id.generator.placement = {.sharing = Sharing::per_vm, .owner = std::string(vm)};
  return id;
}

Result<VarId> resolve_for_vm(const declare::Declaration& declaration, const declare::VarRef& ref,
                             const declare::Vm& vm) {
  return resolve(declaration, ref, vm.machine, vm.name);
}

std::string set_command(const VarId& id) {
  const auto& [placement, generator] = id.generator;
  const std::string owner = placement.owner.empty()                         ? ""
                            : placement.sharing == declare::Sharing::per_vm ? "--vm " + placement.owner + " "
                                                                            : placement.owner + " ";
  return fmt::format("vmcred vars set {}{}/{}", owner, generator, id.file);
}

std::vector<Wanted> wanted(const declare::Declaration& declaration) {
  std::map<GeneratorId, const declare::Generator*> generators;
  for (const auto& [key, generator] : declaration.generators)
    for (const Placement& placement : placements(generator))
      generators.emplace(
          GeneratorId{.placement = placement, .generator = generator.name.empty() ? key : generator.name}, &generator);
  std::vector<Wanted> all;
  for (const auto& [id, generator] : generators) {
    const std::vector<std::string> hosts = hosts_of(declaration, *generator, id.placement);
    for (const auto& [name, file] : generator->files)
      all.push_back({.id = {.generator = id, .file = name},
                     .generator = generator,
                     .file = &file,
                     .machines = file.deploy ? hosts : std::vector<std::string>{}});
  }
  return all;
}

std::vector<Wanted> wanted_on(const declare::Declaration& declaration, std::string_view machine) {
  std::vector<Wanted> here = wanted(declaration);
  std::erase_if(here, [&](const Wanted& value) { return !contains(value.machines, machine); });
  return here;
}

Result<> check_user_name(std::string_view name) {
  if (valid_principal(name)) return {};
  return hint(fail(Errc::usage, "'{}' is no user name", name),
              "a name has 1 to 32 of a-z, 0-9, '_' and '-', and starts with a letter or '_'");
}

Result<> check_group_name(std::string_view name) {
  if (valid_principal(name)) return {};
  return hint(fail(Errc::usage, "'{}' is no group name", name),
              "a name has 1 to 32 of a-z, 0-9, '_' and '-', and starts with a letter or '_'");
}

Result<> check_machine_name(std::string_view name) {
  if (declare::valid_machine_name(name)) return {};
  return hint(fail(Errc::usage, "'{}' is no machine name", name),
              "a name has 1 to 63 of a-z, 0-9 and '-', and neither starts nor ends with '-'");
}

Result<> check_part_name(std::string_view name) {
  if (declare::valid_var_name(name)) return {};
  return fail(Errc::usage, "'{}' cannot name a generator or a file", name);
}

}  // namespace vmcred::store
