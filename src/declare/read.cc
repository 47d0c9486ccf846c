#include "declare/read.h"

#include <algorithm>

#include "declare/keys.h"
#include "declare/names.h"

namespace vmcred::declare {
namespace {

Machine read_machine(const Entry& member, const std::string& pointer, Report& report) {
  const Table table(report, member, pointer, fmt::format("machine '{}'", member.key), kMachineKeys);
  if (!valid_machine_name(member.key)) {
    report.add(Fault::bad_name, table.place(), fmt::format("'{}' cannot be the name of a machine", member.key),
               "up to 63 lower-case letters, digits and '-', not at the ends");
  }
  return {.name = member.key, .default_groups = table.texts("default-groups"), .place = table.place()};
}

// A generator for vms names them before they are read, so this is looked at last.
void check_vm_names(const Declaration& declaration, Report& report) {
  std::vector<std::string_view> names;
  for (const auto& [name, vm] : declaration.vms) names.push_back(name);
  for (const auto& [name, generator] : declaration.generators) {
    for (const std::string& vm : generator.vms) {
      if (declaration.vms.contains(vm)) continue;
      report.add(Fault::unknown_reference, generator.place,
                 fmt::format("generator '{}': no vm '{}' is declared", name, vm),
                 names.empty() ? fmt::format("declare it as [vms.{}]", vm) : hint_for(vm, names, "declared are"));
    }
  }
}

}  // namespace

Declaration read_tree(const Node& root, const std::string& file, const std::string& folder, Report& report) {
  Declaration declaration;
  declaration.file = file;
  declaration.folder = folder;
  const std::string no_key;
  const Table table(report, {no_key, root.mark, root}, "", "", kTopKeys);
  declaration.git.commit = table.table("git", "git", kGitKeys).flag("commit", false);
  table.each("machines", [&](const Entry& member, const std::string& pointer) {
    declaration.machines[member.key] = read_machine(member, pointer, report);
  });
  table.each("generators", [&](const Entry& member, const std::string& pointer) {
    declaration.generators[member.key] = read_generator(member, pointer, declaration, report);
  });
  check_dependencies(declaration, report);
  table.each("vms", [&](const Entry& member, const std::string& pointer) {
    declaration.vms[member.key] = read_vm(member, pointer, declaration, report);
  });
  check_vm_names(declaration, report);
  // Shared values may be people's alone; all else lies on a machine.
  const auto of_machines = [](const auto& member) { return member.second.sharing != Sharing::shared; };
  if (declaration.machines.empty() &&
      (!declaration.vms.empty() || std::ranges::any_of(declaration.generators, of_machines))) {
    report.add(Fault::missing_key, table.place(), "no machine is declared",
               "name the host of the vms: [machines.my-host]");
  }
  return declaration;
}

}  // namespace vmcred::declare
