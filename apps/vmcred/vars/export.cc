// vmcred vars export and import: all values as plain files, for moving elsewhere.
#include <sys/stat.h>

#include <set>

#include "base/file.h"
#include "store/record.h"
#include "store/vault.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "vars/commands.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kExportParameters[] = {
    {"FOLDER", "a folder that does not exist yet"},
};
constexpr Parameter kImportParameters[] = {
    {"FOLDER", "what 'vars export' made"},
    {"--commit", "commit the change in git"},
};

Result<Exit> export_vars(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  const std::string top = given.at("FOLDER");
  TRY_LET(const std::vector<store::VarId> stored, project.repository.list());
  // All of them or nothing: plain text is not left behind by half.
  std::vector<Secret> values;
  store::unlock(project.repository, stored, keys);
  for (const store::VarId& id : stored) {
    TRY_LET(Secret value, project.repository.read_var(id, keys));
    values.push_back(std::move(value));
  }
  if (exists(top))
    return hint(fail(Errc::usage, "'{}' is there already", top), "name a folder that does not exist yet");
  if (::mkdir(top.c_str(), 0700) != 0) return fail_errno("make the folder '{}'", top);
  for (std::size_t i = 0; i < stored.size(); ++i) {
    const store::VarId& id = stored[i];
    const Secret& value = values[i];
    const std::string folder = join_path(top, store::rel_dir(id.generator));
    TRY(make_folders(folder, 0700));
    TRY(write_file(folder + "/" + id.file, value.text(), 0600));
    TRY_LET(const store::GeneratorFolder generator, store::GeneratorFolder::open(project.repository, id.generator));
    TRY_LET(const std::optional<std::string> hash, generator.validation_hash());
    if (hash) TRY(write_file(folder + "/" + std::string(store::kValidationName), *hash, 0600));
  }
  answer_with(world, "folder", top);
  answer_with(world, "values", stored.size());
  note(world, fmt::format("wrote {} values in plain text to '{}': remove it when it has served", stored.size(), top));
  return Exit::done;
}

/// The files below `top`, without the hashes of validations.
Result<> find_files(const std::string& top, const std::string& below, int depth, std::set<std::string>& files) {
  constexpr int kDeepest = 8;
  TRY_LET(const std::vector<std::string> names, list_folder(join_path(top, below)));
  for (const std::string& name : names) {
    const std::string path = below.empty() ? name : below + "/" + name;
    if (is_folder(join_path(top, path)) && depth < kDeepest) {
      TRY(find_files(top, path, depth + 1, files));
    } else if (name != store::kValidationName) {
      files.insert(path);
    }
  }
  return {};
}

Result<Exit> import_vars(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  const std::string top = given.at("FOLDER");
  if (!is_folder(top)) return fail(Errc::not_found, "'{}' is no folder", top);
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  std::string writer;
  std::vector<std::string> changed;
  std::size_t count = 0;
  std::map<store::GeneratorId, std::vector<store::Wanted>> by_generator;
  std::set<std::string> left_out;
  TRY(find_files(top, "", 0, left_out));
  for (const store::Wanted& value : store::wanted(project.declaration))
    if (left_out.erase(store::rel_path(value.id)) > 0) by_generator[value.id.generator].push_back(value);
  for (const auto& [id, values] : by_generator)
    for (const store::Wanted& value : values) {
      if (!value.file->secret) continue;
      if (writer.empty()) {
        TRY_LET(writer, principals.user_of(keys));
      }
      for (const std::string& machine : value.machines) {
        TRY_LET(const bool made,
                ensure_machine_key(project.repository, lock, project.declaration.machines.at(machine), writer, keys));
        if (made)
          changed.insert(changed.end(), {"sops/machines/" + machine, fmt::format("sops/secrets/{}-age.key", machine)});
      }
    }
  principals = store::Principals(project.repository);
  store::Sealer sealer(principals, *world.clock);
  std::vector<store::FolderChange> all;
  for (const auto& [id, values] : by_generator) {
    store::Change change;
    TRY_LET(std::optional<store::Record> record, store::read_record(project.repository, id));
    for (const store::Wanted& value : values) {
      TRY_LET(Secret text, read_secret(join_path(top, store::rel_path(value.id)), store::kMaxValueBytes));
      if (project.repository.has(value.id)) {
        const Result<Secret> before = project.repository.read_var(value.id, keys);
        if (before && equal_in_constant_time(before->bytes(), text.bytes())) continue;
      }
      TRY(sealer.add(change, project.repository, id,
                     {.file = value.id.file,
                      .form = value.file->secret ? store::Form::secret : store::Form::open,
                      .value = std::move(text),
                      .links = links_for(project.declaration, value, writer)}));
      if (record) record->set_by_hand[value.id.file] = rfc3339(world.clock->now());
      ++count;
    }
    if (record && !change.files.empty()) change.files[std::string(store::kRecordName)] = print_record(*record);
    const std::string hash_path = join_path(top, store::rel_dir(id) + "/" + std::string(store::kValidationName));
    if (exists(hash_path)) {
      TRY_LET(change.files[std::string(store::kValidationName)], read_file(hash_path, 1024));
      TRY_LET(const store::GeneratorFolder generator, store::GeneratorFolder::open(project.repository, id));
      TRY_LET(const std::optional<std::string> present, generator.validation_hash());
      if (present == change.files[std::string(store::kValidationName)])
        change.files.erase(std::string(store::kValidationName));
    }
    if (change.files.empty()) continue;
    all.push_back({.folder = store::Repository::generator_path(id), .change = std::move(change)});
    changed.push_back(store::Repository::generator_path(id));
  }
  if (!all.empty()) TRY(publish(project.repository, lock, all));
  answer_with(world, "folder", top);
  answer_with(world, "values", count);
  for (const std::string& path : left_out) answer_also(world, "left_out", path);
  note(world, fmt::format("took {} values from '{}'", count, top));
  World loud = world;
  loud.quiet = false;
  for (const std::string& path : left_out) note(loud, fmt::format("left out: '{}': no such value is declared", path));
  TRY(hand_to_git(project, changed, fmt::format("vars: import {} values", count), given.has("commit"), world));
  return left_out.empty() ? Exit::done : Exit::findings;
}

}  // namespace

constinit const Command kVarsExport = {
    "vars export",
    "write all values in plain text to a new folder",
    "For moving to another store, or for a backup in a safe place. Files get mode 0600, folders 0700; the layout\n"
    "is that of vars/. Of values no other command writes plaintext to a disk; 'vars upload --directory' writes a\n"
    "machine's private key.",
    kExportParameters,
    export_vars,
};

constinit const Command kVarsImport = {
    "vars import",
    "take declared values from a folder that 'vars export' made",
    "Stores each declared value that the folder holds, all in one step; equal values are left as they are. What else "
    "lies\n"
    "there is named, and the exit code is 3.",
    kImportParameters,
    import_vars,
};

}  // namespace vmcred::app
