#include "store/repository.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>

#include "age/plugin.h"
#include "base/file.h"
#include "base/merge_marks.h"
#include "base/open_steps.h"
#include "base/parallel.h"
#include "sops/sops.h"
#include "store/keys.h"
#include "store/refused.h"
#include "store/statement.h"

namespace vmcred::store {
namespace {

using declare::Sharing;

std::string folder_of(const VarId& id) { return Repository::generator_path(id.generator) + "/" + id.file; }

/// A value is stored in one of these files of its folder.
constexpr std::array kForms = {std::pair{Form::secret, "/secret"}, std::pair{Form::open, "/value"}};

constexpr const char* kRemedy = "bring the file itself back from git, or remove what stands there";

/// The part of the store that belongs together: a generator's folder, or one below sops/.
std::string whole_of(const std::string& path) {
  const std::string folder = signed_folder(path);
  return folder.empty() ? path : folder;
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

Result<std::string> read_plain_file(const Fd& folder, const std::string& path, std::size_t max_bytes,
                                    std::string_view above) {
  const auto shown = [&] { return above.empty() ? path : fmt::format("{}/{}", above, path); };
  const Fd fd = try_open_beneath(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd && errno == ELOOP)
    return hint(fail(Errc::invalid_data, "'{}' is a link, or lies behind one", shown()), kRemedy);
  if (!fd) return fail_errno("open '{}'", shown());
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("look at '{}'", shown());
  if (!S_ISREG(status.st_mode)) return hint(fail(Errc::invalid_data, "'{}' is no plain file", shown()), kRemedy);
  auto size = static_cast<std::size_t>(status.st_size);
  if (size > max_bytes)
    return hint(fail(Errc::invalid_data, "'{}' is larger than {} bytes", shown(), max_bytes), kRemedy);
  // A file that is replaced is another file: this one has the size that it has.
  std::string text(size, '\0');
  for (std::size_t used = 0; used < size;) {
    const ssize_t n = ::read(fd.get(), text.data() + used, size - used);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read '{}'", shown());
    if (n == 0) text.resize(size = used);
    used += static_cast<std::size_t>(n);
  }
  if (line_of_merge_mark(text) != 0) {
    return hint(
        fail(Errc::invalid_data, "'{}' holds the conflict markers of a git merge: two branches changed it", shown()),
        fmt::format("take all of '{0}' from one side: 'git checkout --ours -- {0}' or 'git checkout --theirs -- {0}', "
                    "then 'git add {0}'",
                    whole_of(shown())));
  }
  return text;
}

FileState FileState::of(const struct stat& status) {
  const auto changed = std::chrono::seconds(status.st_ctim.tv_sec) + std::chrono::nanoseconds(status.st_ctim.tv_nsec);
  return {.device = status.st_dev, .inode = status.st_ino, .changed = SystemTime(changed)};
}

Result<GeneratorFolder> GeneratorFolder::open(const Repository& repository, const GeneratorId& id) {
  GeneratorFolder folder;
  folder.path_ = Repository::generator_path(id);
  folder.fd_ = try_open_beneath(repository.root(), folder.path_, O_RDONLY | O_DIRECTORY);
  if (!folder.fd_ && (errno == ENOENT || errno == ENOTDIR)) return folder;
  if (!folder.fd_ && errno == ELOOP)
    return hint(fail(Errc::invalid_data, "'{}' is a link, or lies behind one", folder.path_), kRemedy);
  if (!folder.fd_ && errno == EACCES)
    return hint(fail_errno("open '{}'", folder.path_),
                "the folder is there, and you may not read it: its owner can run 'chmod u+rwx' on it");
  if (!folder.fd_) return fail_errno("open '{}'", folder.path_);
  TRY_LET(folder.entries_, entries_of(folder.fd_, folder.path_));
  folder.looked_at_.resize(folder.entries_.size());
  return folder;
}

const Entry* GeneratorFolder::entry(std::string_view name) const {
  const auto found = std::ranges::lower_bound(entries_, name, {}, &Entry::name);
  return found == entries_.end() || found->name != name ? nullptr : &*found;
}

Result<std::optional<Form>> GeneratorFolder::look(const std::string& file) const {
  const Entry* const folder = entry(file);
  const auto is_link = [&](const char* name) {
    return hint(fail(Errc::invalid_data, "'{}/{}{}' is a link, or lies behind one", path_, file, name), kRemedy);
  };
  if (folder != nullptr && folder->type == Entry::Type::link) return is_link(kForms.front().second);
  if (folder == nullptr || folder->type != Entry::Type::folder) return std::optional<Form>{};
  for (const auto& [form, name] : kForms) {
    struct stat status = {};
    const bool stands = ::fstatat(fd_.get(), (file + name).c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0;
    if (!stands && (errno == ENOENT || errno == ENOTDIR)) continue;
    if (!stands) return fail_errno("look at '{}/{}{}'", path_, file, name);
    if (S_ISLNK(status.st_mode)) return is_link(name);
    if (!S_ISREG(status.st_mode))
      return hint(fail(Errc::invalid_data, "'{}/{}{}' is no plain file", path_, file, name), kRemedy);
    looked_at_[static_cast<std::size_t>(folder - entries_.data())] = FileState::of(status);
    return std::optional(form);
  }
  return std::optional<Form>{};
}

std::optional<FileState> GeneratorFolder::looked_at(std::string_view file) const {
  const Entry* const folder = entry(file);
  return folder == nullptr ? std::nullopt : looked_at_[static_cast<std::size_t>(folder - entries_.data())];
}

std::vector<std::string> GeneratorFolder::names() const {
  std::vector<std::string> names;
  for (const Entry& each : entries_)
    if (each.type != Entry::Type::file) names.push_back(each.name);
  return names;
}

Result<std::string> GeneratorFolder::read(std::string_view name, std::size_t max_bytes) const {
  if (entry(name) == nullptr) return fail(Errc::not_found, "there is no '{}/{}'", path_, name);
  return read_plain_file(fd_, std::string(name), max_bytes, path_);
}

Result<std::optional<std::string>> GeneratorFolder::validation_hash() const {
  constexpr std::size_t kMaxFile = 1024;
  constexpr std::size_t kHexSize = 64;
  Result<std::string> text = read(kValidationName, kMaxFile);
  if (!text && text.error().code == Errc::not_found) return std::optional<std::string>{};
  constexpr std::string_view kBlank = "\n\r\t ";
  if (text) {
    text->erase(0, std::min(text->find_first_not_of(kBlank), text->size()));
    text->erase(text->find_last_not_of(kBlank) + 1);
    if (text->size() != kHexSize || text->find_first_not_of("0123456789abcdef") != std::string::npos)
      text = fail(Errc::invalid_data, "'{}/{}' holds no SHA-256 in hex", path_, kValidationName);
  }
  if (!text)
    return hint(Failure(std::move(text).error()),
                "bring it back from git; without it the values would count as outdated and be made anew");
  return std::optional(*std::move(text));
}

Result<Repository> Repository::open(const std::string& folder) {
  Repository repository;
  TRY_LET(repository.root_, open_folder(folder));
  repository.folder_ = folder;
  return repository;
}

Result<std::optional<Form>> Repository::look(const VarId& id) const {
  TRY_LET(const GeneratorFolder folder, GeneratorFolder::open(*this, id.generator));
  return folder.look(id.file);
}

std::optional<Form> Repository::form(const VarId& id) const {
  const Result<std::optional<Form>> found = look(id);
  return found ? *found : std::nullopt;
}

Result<Repository::Stored> Repository::stored(const VarId& id) const {
  for (const auto& [form, name] : kForms) {
    Result<std::string> text = read_proven(folder_of(id) + name);
    if (text) return Stored{.form = form, .text = *std::move(text)};
    if (text.error().code != Errc::not_found) return std::unexpected(std::move(text).error());
  }
  return hint(fail(Errc::not_found, "{} was never generated", spoken(id)), generate_command(id));
}

Result<std::string> Repository::read_stored(const VarId& id) const {
  TRY_LET(Stored found, stored(id));
  return std::move(found.text);
}

Result<std::string> Repository::read_proven(const std::string& path, std::size_t max_bytes) const {
  TRY_LET(std::string text, read_plain_file(root_, path, max_bytes));
  if (proof_) TRY(proof_->check_file(root_, path, text));
  return text;
}

Result<Secret> Repository::read_var(const VarId& id, const KeyRing& keys) const {
  const auto damaged = [&](Error& error) {
    if (error.hint.empty() && (error.code == Errc::invalid_data || error.code == Errc::mismatch))
      error.hint = fmt::format("it is damaged: bring it back from git, or run 'vmcred vars rotate -g {}'",
                               id.generator.generator);
  };
  Result<Stored> found = stored(id);
  if (!found) damaged(found.error());
  if (!found) return std::unexpected(std::move(found).error());
  if (found->form == Form::open) return Secret::copy_of(found->text);
  const std::string path = folder_of(id) + "/secret";
  Result<sops::File> file = in(fmt::format("read '{}'", path), sops::parse(found->text));
  if (!file) damaged(file.error());
  if (!file) return std::unexpected(std::move(file).error());
  Result<Secret> value = in(fmt::format("decrypt '{}'", path), sops::decrypt(*file, keys.keys().identities));
  if (!value) damaged(value.error());
  if (!value) return std::unexpected(refused(*this, folder_of(id), keys, std::move(value).error()));
  return value;
}

Result<std::vector<std::string>> Repository::files(const GeneratorId& id) const {
  TRY_LET(const GeneratorFolder folder, GeneratorFolder::open(*this, id));
  std::vector<std::string> stored;
  for (const std::string& name : folder.names()) {
    TRY_LET(const std::optional<Form> form, folder.look(name));
    if (form) stored.push_back(name);
  }
  return stored;
}

Result<std::vector<GeneratorId>> Repository::generators() const {
  std::vector<std::pair<Placement, std::string>> owners = {{{.sharing = Sharing::shared}, "vars/shared"}};
  for (const auto& [sharing, folder] :
       {std::pair{Sharing::per_machine, "vars/per-machine"}, std::pair{Sharing::per_vm, "vars/per-vm"}}) {
    TRY_LET(const std::vector<std::string> names, names_in(join_path(folder_, folder)));
    for (const std::string& name : names)
      owners.emplace_back(Placement{.sharing = sharing, .owner = name}, fmt::format("{}/{}", folder, name));
  }
  std::vector<Result<std::vector<std::string>>> names(owners.size());
  in_ranges(owners.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) names[i] = names_in(join_path(folder_, owners[i].second));
  });
  std::vector<GeneratorId> all;
  for (std::size_t i = 0; i < owners.size(); ++i) {
    TRY_LET(std::vector<std::string> generators, std::move(names[i]));
    for (std::string& name : generators) all.push_back({.placement = owners[i].first, .generator = std::move(name)});
  }
  std::ranges::sort(all);
  return all;
}

Result<std::vector<VarId>> Repository::list() const {
  TRY_LET(const std::vector<GeneratorId> every, generators());
  std::vector<Result<std::vector<std::string>>> stored(every.size());
  in_ranges(every.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) stored[i] = files(every[i]);
  });
  std::vector<VarId> all;
  for (std::size_t i = 0; i < every.size(); ++i) {
    TRY_LET(std::vector<std::string> names, std::move(stored[i]));
    for (std::string& name : names) all.push_back({.generator = every[i], .file = std::move(name)});
  }
  return all;
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
