// A project's stored values: what is there, who may read it, and the values themselves.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/fd.h"
#include "base/result.h"
#include "base/secret.h"
#include "store/entries.h"
#include "store/key_ring.h"
#include "store/layout.h"
#include "store/proof.h"

struct stat;

namespace vmcred::store {

/// The largest value of a var, through every door: made, set, imported, activated, exported. (A credential may have no
/// more than systemd's 1 MiB, which the delivery plan says.)
inline constexpr std::size_t kMaxValueBytes = 16UL * 1024 * 1024;
/// The largest file of the store that is read: such a value in base64, and all that sops writes around it.
inline constexpr std::size_t kMaxStoredBytes = 24UL * 1024 * 1024;

inline constexpr std::string_view kValidationName = ".validation-hash";

enum class Form : std::uint8_t { secret, open };  ///< `secret` (sops file) or `value` (plain file)

/// A project folder with its vars/ and sops/ trees; neither needs to exist. Reading takes no lock: a value is always
/// seen as it was before a change or after it.
class Repository {
 public:
  static Result<Repository> open(const std::string& folder);

  [[nodiscard]] const std::string& folder() const { return folder_; }
  /// "vars/per-machine/M/GEN": relative to folder().
  [[nodiscard]] static std::string generator_path(const GeneratorId& id) { return "vars/" + rel_dir(id); }

  /// In which form a value is stored; empty when it is not. What is there and is no file of the store (a link, a
  /// folder) or cannot be looked at is an error here: to take it for absent would replace it.
  Result<std::optional<Form>> look(const VarId& id) const;
  /// The same, where only what can be read counts.
  [[nodiscard]] std::optional<Form> form(const VarId& id) const;
  [[nodiscard]] bool has(const VarId& id) const { return form(id).has_value(); }

  /// The value. `not_found` when it was never generated (hint: the command), `denied` when no key of `keys` opens it,
  /// `invalid_data` or `mismatch` when the file is damaged. An open value needs no key.
  Result<Secret> read_var(const VarId& id, const KeyRing& keys) const;

  /// The stored file as it is: a secret's ciphertext or an open value; at most kMaxStoredBytes.
  struct Stored {
    Form form;
    std::string text;
  };
  Result<Stored> stored(const VarId& id) const;
  Result<std::string> read_stored(const VarId& id) const;

  /// Every generator that has a folder, whatever is in it, sorted.
  Result<std::vector<GeneratorId>> generators() const;
  /// Every value that is stored, declared or not, sorted.
  Result<std::vector<VarId>> list() const;
  /// The files of one generator that are stored, sorted; none when the generator has no folder.
  Result<std::vector<std::string>> files(const GeneratorId& id) const;

  [[nodiscard]] const Fd& root() const { return root_; }

  /// From here on only what `proof` vouches for is read, and what is changed is vouched for.
  void demand(std::shared_ptr<const Proof> proof) { proof_ = std::move(proof); }
  /// null: nothing is demanded
  [[nodiscard]] const Proof* proof() const { return proof_.get(); }
  /// How plugins of recipients are run; without it those of the system's folders, asking nobody.
  void use_plugins(const age::Plugins& plugins);
  [[nodiscard]] const age::Plugins& plugins() const;

  /// Reads a file of the store, at most `max_bytes`; `mismatch` when it is not what the proof vouches for.
  Result<std::string> read_proven(const std::string& path, std::size_t max_bytes = kMaxStoredBytes) const;

 private:
  std::string folder_;
  Fd root_;
  std::shared_ptr<const Proof> proof_ = {};
  std::shared_ptr<const age::Plugins> plugins_ = {};
};

/// Before many of these secrets are read: asks the plugins among `keys` for all of them at once (one PIN). Says nothing
/// of what cannot be opened: reading tells. `files`: paths of secrets below the project. Without plugins nothing
/// happens.
void unlock(const Repository& repository, const std::vector<std::string>& files, const KeyRing& keys);
void unlock(const Repository& repository, const std::vector<VarId>& vars, const KeyRing& keys);

/// The text of a plain file below `folder` (the project's, or one whose path for messages is `above`), reached through
/// no link. `not_found` where nothing is; a fifo, a folder or a link is an error, as is a file that is too large.
Result<std::string> read_plain_file(const Fd& folder, const std::string& path, std::size_t max_bytes = kMaxStoredBytes,
                                    std::string_view above = {});

/// Tells a file or folder from every other one, and from what it was before it changed.
struct FileState {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  SystemTime changed = {};  ///< ctime(2), which nobody can set
  static FileState of(const struct stat& status);
};

/// One generator's folder, held open and listed once, for looking at many of its values. Of one thread.
class GeneratorFolder {
 public:
  static Result<GeneratorFolder> open(const Repository& repository, const GeneratorId& id);
  [[nodiscard]] const std::string& path() const { return path_; }  ///< below the project folder
  /// Empty where there is no such folder.
  [[nodiscard]] const Fd& fd() const { return fd_; }

  /// As Repository::look.
  Result<std::optional<Form>> look(const std::string& file) const;
  /// Of the secret or open value that `look` found last under this name.
  [[nodiscard]] std::optional<FileState> looked_at(std::string_view file) const;
  /// What may hold values: everything that stands there but plain files, sorted.
  [[nodiscard]] std::vector<std::string> names() const;
  /// A plain file beside the values, as read_plain_file does it.
  Result<std::string> read(std::string_view name, std::size_t max_bytes) const;
  /// The text of .validation-hash, stripped; empty when there is none. Anything but a SHA-256 in hex is `invalid_data`.
  Result<std::optional<std::string>> validation_hash() const;

 private:
  [[nodiscard]] const Entry* entry(std::string_view name) const;

  std::string path_;
  Fd fd_;
  std::vector<Entry> entries_;
  mutable std::vector<std::optional<FileState>> looked_at_;  // as entries_
};

/// What the declaration asks for and the store does not have, sorted: of what is deployed to one machine, or of
/// everything when `machine` is empty.
std::vector<VarId> missing(const Repository& repository, const declare::Declaration& declaration,
                           std::string_view machine = {});

}  // namespace vmcred::store
