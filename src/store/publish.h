// Changing the store: under one lock, and for each folder all or nothing, also when the process is killed half-way.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/result.h"
#include "store/access.h"
#include "store/repository.h"

namespace vmcred::store {

/// The right to change a repository. clan takes the same lock, so its commits and ours do not meet.
class Lock {
 public:
  /// With Wait::no a lock that somebody else holds is `unavailable`. Also clears what a killed process left behind.
  static Result<Lock> take(const Repository& repository, Wait wait);
  Lock(Lock&& other) noexcept : fd_(std::move(other.fd_)), own_file_(std::exchange(other.own_file_, {})) {}
  Lock& operator=(Lock&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(own_file_, other.own_file_);
    return *this;
  }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock();

 private:
  Lock(Fd fd, std::string own_file) : fd_(std::move(fd)), own_file_(std::move(own_file)) {}
  Fd fd_;
  std::string own_file_;  ///< goes with the lock; "" for clan's, which stays
};

/// The file that Lock::take locks: clan.lock in the git folder, else .vmcred.lock in the project folder, there for as
/// long as somebody holds it.
std::string lock_path(const std::string& folder);

/// A folder's new content, piece by piece: files by relative path, and links by relative path.
struct Change {
  std::map<std::string, std::string> files = {};  ///< "api-key/secret": bytes, written with mode 0644
  std::map<std::string, std::string> links = {};  ///< "api-key/users/alice": "../../…"
  std::vector<std::string> remove = {};           ///< files, links or folders that go; done before the others
};

/// A folder (below the project folder) and its change.
struct FolderChange {
  std::string folder;
  Change change;
};

/// Brings each folder to its new content in one step. What a change does not name stays byte for byte the same. A
/// folder that ends empty is removed. An observer sees each folder as it was or as it will be, never otherwise,
/// whenever this process is killed. None of the folders may lie in another. A failure leaves folders unchanged, where
/// it came late those after it. Where signatures are demanded (Repository::demand) each folder has to be signed as it
/// was, and is signed as it becomes: what is signed is what was vouched for before, with the change, and nothing that
/// somebody else put there in the meantime.
Result<> publish(const Repository& repository, const Lock& lock, std::span<const FolderChange> changes);
Result<> publish(const Repository& repository, const Lock& lock, const std::string& folder, const Change& change);

/// Signs `folder` with what is in it, whoever put that there; `seen` is what somebody looked at before he agreed.
Result<> sign_as_it_is(const Repository& repository, const Lock& lock, const std::string& folder, const Contents& seen);

/// Removes `folder` and everything in it in one step.
Result<> retire(const Repository& repository, const Lock& lock, const std::string& folder);

/// Moves a whole folder to a place where nothing is.
Result<> move_folder(const Repository& repository, const Lock& lock, const std::string& from, const std::string& to);

/// Adds to a change what gives the secret or var in `folder`/`name` exactly these links.
void set_links(Change& change, const std::string& folder, const std::string& name, const Links& links);

}  // namespace vmcred::store
