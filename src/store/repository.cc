#include "store/repository.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>

#include "age/plugin.h"
#include "base/file.h"
#include "sops/sops.h"
#include "store/keys.h"

namespace vmcred::store {
namespace {

using declare::Sharing;

std::string folder_of(const VarId& id) { return Repository::generator_path(id.generator) + "/" + id.file; }

bool stands(const Fd& root, const std::string& path) {
  const Result<Fd> fd = open_beneath(root, path, O_PATH | O_CLOEXEC);
  if (!fd) return false;
  struct stat status = {};
  return ::fstat(fd->get(), &status) == 0 && S_ISREG(status.st_mode);
}

/// The names in `folder`, or none when it does not exist.
Result<std::vector<std::string>> names_in(const std::string& folder) {
  Result<std::vector<std::string>> names = list_folder(folder);
  if (!names && names.error().code == Errc::not_found) return std::vector<std::string>{};
  return names;
}

std::string generate_command(const VarId& id) {
  const Placement& placement = id.generator.placement;
  if (placement.sharing == Sharing::per_machine) return fmt::format("run 'vmcred vars generate {}'", placement.owner);
  return "run 'vmcred vars generate'";
}

}  // namespace

Result<Repository> Repository::open(const std::string& folder) {
  Repository repository;
  TRY_LET(repository.root_, open_folder(folder));
  repository.folder_ = folder;
  return repository;
}

std::optional<Form> Repository::form(const VarId& id) const {
  const std::string folder = folder_of(id);
  if (stands(root_, folder + "/secret")) return Form::secret;
  if (stands(root_, folder + "/value")) return Form::open;
  return {};
}

Result<std::string> Repository::read_stored(const VarId& id) const {
  const std::optional<Form> how = form(id);
  if (!how)
    return hint(fail(Errc::not_found, "{} was never generated", spoken(id)), generate_command(id));
  return read_proven(folder_of(id) + (*how == Form::secret ? "/secret" : "/value"));
}

Result<std::string> Repository::read_proven(const std::string& path, std::size_t max_bytes) const {
  TRY_LET(const Fd fd, open_beneath(root_, path, O_RDONLY | O_CLOEXEC));
  TRY_LET(std::string text, read_all(fd, path, max_bytes));
  if (proof_) TRY(proof_->check_file(root_, path, text));
  return text;
}

Result<Secret> Repository::read_var(const VarId& id, const KeyRing& keys) const {
  const auto damaged = [&](Error& error) {
    if (error.hint.empty() && (error.code == Errc::invalid_data || error.code == Errc::mismatch))
      error.hint = fmt::format("it is damaged: bring it back from git, or run 'vmcred vars rotate -g {}'", id.generator.generator);
  };
  Result<std::string> stored = read_stored(id);
  if (!stored) damaged(stored.error());
  if (!stored) return std::unexpected(std::move(stored).error());
  if (form(id) == Form::open) return Secret::copy_of(*stored);
  const std::string path = folder_of(id) + "/secret";
  Result<sops::File> file = in(fmt::format("read '{}'", path), sops::parse(*stored));
  if (!file) damaged(file.error());
  if (!file) return std::unexpected(std::move(file).error());
  Result<Secret> value = in(fmt::format("decrypt '{}'", path), sops::decrypt(*file, keys.keys().identities));
  if (!value) damaged(value.error());
  if (!value && value.error().code == Errc::denied) {
    value.error().hint = keys.empty()
                             ? "no private key was found: put yours into ~/.config/sops/age/keys.txt or name its file "
                               "in SOPS_AGE_KEY_FILE"
                             : "ask somebody who may read it to add your key";
  }
  return value;
}

Result<std::vector<std::string>> Repository::files(const GeneratorId& id) const {
  TRY_LET(std::vector<std::string> names, names_in(join_path(folder_, generator_path(id))));
  std::erase_if(names, [&](const std::string& name) { return !has({.generator = id, .file = name}); });
  return names;
}

Result<std::vector<VarId>> Repository::list() const {
  std::vector<VarId> all;
  const auto add_generators = [&](const Placement& placement, const std::string& folder) -> Result<> {
    TRY_LET(const std::vector<std::string> generators, names_in(join_path(folder_, folder)));
    for (const std::string& generator : generators) {
      const GeneratorId id{.placement = placement, .generator = generator};
      TRY_LET(const std::vector<std::string> names, files(id));
      for (const std::string& name : names) all.push_back({.generator = id, .file = name});
    }
    return {};
  };
  for (const auto& [sharing, folder] :
       {std::pair{Sharing::per_machine, "vars/per-machine"}, std::pair{Sharing::per_vm, "vars/per-vm"}}) {
    TRY_LET(const std::vector<std::string> owners, names_in(join_path(folder_, folder)));
    for (const std::string& owner : owners)
      TRY(add_generators({.sharing = sharing, .owner = owner}, fmt::format("{}/{}", folder, owner)));
  }
  TRY(add_generators({.sharing = Sharing::shared}, "vars/shared"));
  std::ranges::sort(all);
  return all;
}

std::optional<std::string> Repository::validation_hash(const GeneratorId& id) const {
  const std::string path = generator_path(id) + "/.validation-hash";
  const Result<Fd> fd = open_beneath(root_, path, O_RDONLY | O_CLOEXEC);
  if (!fd) return {};
  Result<std::string> text = read_all(*fd, path, 1024);
  if (!text) return {};
  const auto blank = [](char c) { return c == '\n' || c == '\r' || c == ' ' || c == '\t'; };
  while (!text->empty() && blank(text->back())) text->pop_back();
  while (!text->empty() && blank(text->front())) text->erase(0, 1);
  return *std::move(text);
}

void Repository::use_plugins(const age::Plugins& plugins) { plugins_ = std::make_shared<const age::Plugins>(plugins); }

const age::Plugins& Repository::plugins() const {
  static const age::Plugins kSystem;
  return plugins_ ? *plugins_ : kSystem;
}

void unlock(const Repository& repository, const std::vector<std::string>& files, const KeyRing& keys) {
  const age::Identities& slow = keys.keys().slow;
  if (slow.empty()) return;
  std::vector<sops::File> parsed;
  for (const std::string& path : files) {
    const Result<std::string> text = repository.read_proven(path);
    if (!text) continue;
    if (Result<sops::File> file = sops::parse(*text)) parsed.push_back(*std::move(file));
  }
  std::vector<const sops::File*> all;
  for (const sops::File& file : parsed) all.push_back(&file);
  (void)sops::decrypt_all(all, slow);  // the identities remember
}

void unlock(const Repository& repository, const std::vector<VarId>& vars, const KeyRing& keys) {
  std::vector<std::string> files;
  for (const VarId& id : vars) files.push_back(folder_of(id) + "/secret");
  unlock(repository, files, keys);
}

std::vector<VarId> missing(const Repository& repository, const declare::Declaration& declaration,
                           std::string_view machine) {
  std::vector<VarId> absent;
  for (Wanted& value : machine.empty() ? wanted(declaration) : wanted_on(declaration, machine))
    if (!repository.has(value.id)) absent.push_back(std::move(value.id));
  return absent;
}

}  // namespace vmcred::store
