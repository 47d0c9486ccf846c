// vmcred vars set: stores a value that somebody gives.
#include <unistd.h>

#include "base/fd.h"
#include "store/address.h"
#include "store/record.h"
#include "store/vault.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "vars/commands.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"VAR...", "[MACHINE] GENERATOR/FILE"},
    {"--vm NAME", "whose value, where each vm has its own"},
    {"--commit", "commit the change in git"},
};

const store::Wanted* find_wanted(const std::vector<store::Wanted>& all, const store::VarId& id) {
  for (const store::Wanted& value : all)
    if (value.id == id) return &value;
  return nullptr;
}

Result<Secret> given_value(const store::VarId& id, const World& world) {
  if (::isatty(0) == 1) return in("ask for the value", ask_for_value(world, store::spoken(id)));
  const Fd input(::dup(0));
  return in("read the value from standard input", read_secret(input, "standard input", store::kMaxValueBytes));
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::VarId id, chosen_var(given.all("VAR"), given.at("vm"), world, project.declaration));
  const std::vector<store::Wanted> all = store::wanted(project.declaration);
  const store::Wanted& value = *find_wanted(all, id);
  answer_with(world, "var", store::address_of(id));
  answer_with(world, "owner", store::spoken(id.generator.placement));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  TRY_LET(Secret text, given_value(id, world));
  if (text.empty() && !value.file->allow_empty)
    return hint(fail(Errc::usage, "the value for {} is empty", store::spoken(id)),
                "if that is meant, declare the file with allow-empty = true");
  TRY_LET(const store::Lock lock, lock_store(project, world));
  const std::string folder = store::Repository::generator_path(id.generator);
  std::vector<std::string> changed = {folder};

  store::Principals principals(project.repository);
  std::string writer;
  if (value.file->secret) {
    TRY_LET(writer, principals.user_of(keys));
    for (const std::string& machine : value.machines) {
      const declare::Machine& declared = project.declaration.machines.at(machine);
      TRY_LET(const bool made, ensure_machine_key(project.repository, lock, declared, writer, keys));
      if (!made) continue;
      changed.push_back("sops/machines/" + machine);
      changed.push_back(fmt::format("sops/secrets/{}-age.key", machine));
    }
    principals = store::Principals(project.repository);
    // The same value again is no change: neither for git nor for those who depend on it.
    if (project.repository.has(id)) {
      // What cannot be read (damaged, or not ours) is replaced all the same.
      const Result<Secret> before = project.repository.read_var(id, keys);
      if (before && equal_in_constant_time(before->bytes(), text.bytes())) {
        note(world, fmt::format("{} has this value already", store::spoken(id)));
        return Exit::done;
      }
    }
  }
  store::Change change;
  store::Sealer sealer(principals, *world.clock);
  TRY(sealer.add(change, project.repository, id.generator,
                 {.file = id.file,
                  .form = value.file->secret ? store::Form::secret : store::Form::open,
                  .value = std::move(text),
                  .links = links_for(project.declaration, value, writer)}));
  TRY_LET(std::optional<store::Record> record, store::read_record(project.repository, id.generator));
  if (record) {
    record->set_by_hand[id.file] = rfc3339(world.clock->now());
    change.files[std::string(store::kRecordName)] = print_record(*record);
  }
  TRY(publish(project.repository, lock, folder, change));
  note(world, fmt::format("set {}", store::spoken(id)));
  TRY(hand_to_git(
      project, changed,
      fmt::format("vars: update {}/{} for {}", id.generator.generator, id.file, store::spoken(id.generator.placement)),
      given.has("commit"), world));
  return Exit::done;
}

}  // namespace

constinit const Command kVarsSet = {
    "vars set",
    "store a value from standard input",
    "Reads the value from standard input, byte for byte, and stores it in place of what the generator made.\n"
    "On a terminal it asks for it, hidden and twice. Values that are made from it become stale.",
    kParameters,
    run,
};

}  // namespace vmcred::app
