// vmcred vars rename and secrets machines rename: what is stored follows a new name in the declaration.
#include "store/rename.h"
#include "terminal/answer.h"
#include "vars/commands.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"OLD", "the name so far"},
    {"NEW", "the name from now on"},
    {"--commit", "commit the change in git"},
};

using Rename = Result<std::vector<std::string>> (*)(const store::Repository&, const store::Lock&, const std::string&,
                                                    const std::string&);

Result<Exit> rename(const Given& given, World& world, Rename how, const char* kind) {
  TRY_LET(const Project project, open_project(world));
  const std::string before = given.at("OLD");
  const std::string after = given.at("NEW");
  if (before == after) return fail(Errc::usage, "the {} '{}' has that name already", kind, before);
  TRY_LET(const store::Lock lock, lock_store(project, world));
  TRY_LET(const std::vector<std::string> changed,
          in(fmt::format("rename {} '{}'", kind, before), how(project.repository, lock, before, after)));
  if (changed.empty())
    return hint(fail(Errc::not_found, "nothing is stored for a {} '{}'", kind, before),
                "'vmcred vars list' shows what is stored");
  answer_with(world, "from", before);
  answer_with(world, "to", after);
  note(world, fmt::format("renamed the {} '{}' to '{}' in the store", kind, before, after));
  const bool declared = std::string_view(kind) == "generator" ? project.declaration.generators.contains(after)
                                                              : project.declaration.machines.contains(after);
  if (!declared) note(world, fmt::format("give it its new name in {} too", project.declaration.file));
  TRY(hand_to_git(project, changed, fmt::format("vars: rename {} {} to {}", kind, before, after), given.has("commit"),
                  world));
  return Exit::done;
}

}  // namespace

constinit const Command kVarsRename = {
    "vars rename", "give a generator's stored values its new name",
    "Moves the values of all machines and vms; no value changes. The declaration is yours to change, before or after.",
    kParameters,
    [](const Given& given, World& world) { return rename(given, world, store::rename_generator, "generator"); }};

constinit const Command kSecretsMachinesRename = {
    "secrets machines rename", "give a machine's key and values its new name",
    "Moves its key, its values and every link to it; nothing is encrypted anew. The declaration is yours to change.",
    kParameters,
    [](const Given& given, World& world) { return rename(given, world, store::rename_machine, "machine"); }};

}  // namespace vmcred::app
