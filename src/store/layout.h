// Names and places of clan's tree on disk: where a var, a user, a machine or a group lies below the project folder.
#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "declare/model.h"

namespace vmcred::store {

/// Whose value it is: shared (owner is empty), one machine's, or one vm's.
struct Placement {
  declare::Sharing sharing = declare::Sharing::shared;
  std::string owner = {};
  auto operator<=>(const Placement&) const = default;
};

/// One generator for one placement: what runs, and what changes as one.
struct GeneratorId {
  Placement placement = {};
  std::string generator;
  auto operator<=>(const GeneratorId&) const = default;
};

/// One stored value.
struct VarId {
  GeneratorId generator = {};
  std::string file;
  auto operator<=>(const VarId&) const = default;
};

/// "per-machine/M/GEN", "shared/GEN", "per-vm/V/GEN": the same below vars/ and below /run/vmcred/vars.
std::string rel_dir(const GeneratorId& id);
/// rel_dir + "/" + FILE
std::string rel_path(const VarId& id);
/// "machine M", "vm V", "shared": whose values these are, for people.
std::string spoken(const Placement& placement);
/// "GEN/FILE (machine M)", "GEN/FILE (shared)", "GEN/FILE (vm V)": for people.
std::string spoken(const VarId& id);
std::string spoken(const GeneratorId& id);

/// All placements that a generator has by its declaration, sorted.
std::vector<Placement> placements(const declare::Generator& generator);

/// The stored value that `machine` (or its vm `vm`; may be empty) means by GENERATOR/FILE. `not_found` when there is no
/// such generator or file, `usage` when that machine or vm has no value of it.
Result<VarId> resolve(const declare::Declaration& declaration, const declare::VarRef& ref, std::string_view machine,
                      std::string_view vm = {});

/// The vm's own view of GENERATOR/FILE.
Result<VarId> resolve_for_vm(const declare::Declaration& declaration, const declare::VarRef& ref,
                             const declare::Vm& vm);

/// "vmcred vars set web g/f": the command that stores a value from outside.
std::string set_command(const VarId& id);

/// One value that the declaration asks for.
struct Wanted {
  VarId id;
  const declare::Generator* generator = nullptr;  ///< borrowed from the declaration
  const declare::File* file = nullptr;
  std::vector<std::string> machines = {};  ///< who may read it on a host (empty when it is not deployed)
};

/// Every value of the declaration, sorted by id.
std::vector<Wanted> wanted(const declare::Declaration& declaration);
/// What is deployed to `machine`: what `activate` puts below /run there.
std::vector<Wanted> wanted_on(const declare::Declaration& declaration, std::string_view machine);

/// Refuse what clan's tree cannot hold (`usage`).
Result<> check_user_name(std::string_view name);
Result<> check_machine_name(std::string_view name);
Result<> check_group_name(std::string_view name);
/// Generator and file names: not empty, no '/', no control characters, none of ".", ".." and our own files' names.
Result<> check_part_name(std::string_view name);

}  // namespace vmcred::store
