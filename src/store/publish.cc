#include "store/publish.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>

#include "base/base64.h"
#include "base/sha256.h"
#include "store/git.h"
#include "store/statement.h"

namespace vmcred::store {
namespace {

/// Beside the trees that clan reads, on their file system. It exists only while a change is made.
constexpr std::string_view kStaging = "vars/.vmcred-staging";
constexpr std::size_t kTogether = 512;  // folders that are flushed as one
constexpr std::size_t kFewFiles = 4;    // new files that are flushed one by one

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : path.substr(0, slash);
}

/// Whether `path` still names the file that is open.
bool is_file_at(const Fd& fd, const std::string& path) {
  struct stat open = {};
  struct stat named = {};
  return ::fstat(fd.get(), &open) == 0 && ::lstat(path.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

/// Writes a file; nothing says yet that it is on the disk.
Result<> write_new_file(const std::string& path, std::string_view bytes) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return fail_errno("create '{}'", path);
  if (::fchmod(fd.get(), 0644) != 0) return fail_errno("set the mode of '{}'", path);
  return in(fmt::format("write '{}'", path), write_all(fd, bytes));
}

/// Copies a tree by hard links: the bytes stay the very same ones.
Result<> mirror(const std::string& from, const std::string& to) {
  if (::mkdir(to.c_str(), 0755) != 0) return fail_errno("create '{}'", to);
  TRY_LET(const std::vector<std::string> names, list_folder(from));
  for (const std::string& name : names) {
    const std::string old_path = join_path(from, name);
    const std::string new_path = join_path(to, name);
    struct stat status = {};
    if (::lstat(old_path.c_str(), &status) != 0) return fail_errno("look at '{}'", old_path);
    if (S_ISDIR(status.st_mode)) {
      TRY(mirror(old_path, new_path));
    } else if (::linkat(AT_FDCWD, old_path.c_str(), AT_FDCWD, new_path.c_str(), 0) != 0) {
      return fail_errno("keep '{}'", old_path);
    }
  }
  return {};
}

/// Removes empty folders below a new tree's top: git does not know them, and clan reads them as "not set". Says whether
/// anything but folders is in it.
Result<bool> drop_empty_folders(const std::string& folder) {
  bool filled = false;
  TRY_LET(const std::vector<std::string> names, list_folder(folder));
  for (const std::string& name : names) {
    const std::string path = join_path(folder, name);
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0) return fail_errno("look at '{}'", path);
    if (!S_ISDIR(status.st_mode)) {
      filled = true;
      continue;
    }
    TRY_LET(const bool inner, drop_empty_folders(path));
    filled = filled || inner;
    if (!inner && ::rmdir(path.c_str()) != 0) return fail_errno("remove the empty folder '{}'", path);
  }
  return filled;
}

/// Brings all that is new to the disk: a small tree piece by piece, a large one or several with their whole file
/// system, which costs a disk less than hundreds of single orders.
Result<> flush_all(const std::string& top) {
  TRY_LET(const Fd folder, open_folder(top));
  if (::syncfs(folder.get()) != 0) return fail_errno("write the new files in '{}' to the disk", top);
  return {};
}
Result<> flush_tree(const std::string& folder) {
  TRY_LET(const std::vector<std::string> names, list_folder(folder));
  for (const std::string& name : names) {
    const std::string path = join_path(folder, name);
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0) return fail_errno("look at '{}'", path);
    if (S_ISDIR(status.st_mode)) {
      TRY(flush_tree(path));
    } else if (S_ISREG(status.st_mode) && status.st_nlink == 1) {  // more: it was there before
      TRY_LET(const Fd file, open_for_reading(path));
      if (::fsync(file.get()) != 0) return fail_errno("write '{}' to the disk", path);
    }
  }
  return sync_folder(folder);
}

Failure no_folder(const std::string& path) {
  return hint(fail(Errc::invalid_data, "'{}' is no folder, so nothing is written there", path),
              "remove it, or put the folder there that it stands for");
}

/// Makes the folders of `path` below `top` where they are missing, and goes through no link: a repository that somebody
/// else may write must not lead our writing elsewhere.
Result<> make_real_folders(const std::string& top, const std::string& path) {
  for (std::size_t end = 0; end != std::string::npos && !path.empty();) {
    end = path.find('/', end + 1);
    const std::string folder = top + "/" + path.substr(0, end);
    struct stat status = {};
    if (::lstat(folder.c_str(), &status) != 0) {
      if (errno != ENOENT) return fail_errno("look at '{}'", folder);
      if (::mkdir(folder.c_str(), 0755) != 0) return fail_errno("create the folder '{}'", folder);
    } else if (!S_ISDIR(status.st_mode)) {
      return no_folder(folder);
    }
  }
  return {};
}

/// Makes room at `path` of a new tree: its folders are there, nothing is at the place itself.
Result<> clear_place(const std::string& top, const std::string& path) {
  TRY(make_real_folders(top, parent_of(path)));
  return remove_tree(top + "/" + path);
}

/// An empty staging folder: its path.
Result<std::string> make_staging(const Repository& repository) {
  std::string top = join_path(repository.folder(), kStaging);
  TRY(remove_tree(top));
  TRY(make_real_folders(repository.folder(), std::string(kStaging)));
  // Should we be interrupted, `git add -A` takes up nothing of it, this file included.
  TRY(write_new_file(join_path(top, ".gitignore"), "*\n"));
  return top;
}

/// One folder's new content, complete beside the old one.
struct Staged {
  std::string target;
  std::string next;
  bool replaces = false;
  bool filled = false;
};

Result<> rename_flags(const std::string& from, const std::string& to, unsigned flags) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0) return {};
  return fail_errno("put '{}' in its place", to);
}

bool is_there(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// What stays in a folder is signed anew with what changes, so it has to be signed well before: nobody's forgery gets
/// our name in passing. Without a demand for signatures, what others signed is not changed. Gives what was vouched for.
Result<Contents> may_change(const Repository& repository, const std::string& folder) {
  if (signed_folder(folder) != folder) return Contents{};
  const bool is_folder = is_there(join_path(repository.folder(), folder));
  if (repository.proof() != nullptr) {
    TRY(repository.proof()->may_change());
    return is_folder ? repository.proof()->vouched(repository.root(), folder) : Result<Contents>(Contents{});
  }
  if (!is_there(join_path(repository.folder(), fmt::format("{}/{}", folder, kSignatureName)))) return Contents{};
  return hint(fail(Errc::denied, "'{}' is signed, and you trust nobody's signatures", folder),
              "run 'vmcred signatures keygen', and add the keys of those who sign here to your trusted-signers");
}

void drop_below(std::map<std::string, std::string>& paths, const std::string& path) {
  std::erase_if(paths, [&](const auto& item) { return item.first == path || item.first.starts_with(path + "/"); });
}

/// What a folder is meant to hold after the change.
Contents changed(Contents contents, const Change& change) {
  const auto drop = [&](const std::string& path) {
    drop_below(contents.files, path);
    drop_below(contents.links, path);
  };
  for (const std::string& path : change.remove) drop(path);
  for (const auto& [path, bytes] : change.files) {
    drop(path);
    contents.files[path] = hex_encode(sha256(bytes_of(bytes)));
  }
  for (const auto& [path, target] : change.links) {
    drop(path);
    contents.links[path] = target;
  }
  return contents;
}

/// Whether a tree holds any file or link.
Result<bool> holds_something(const std::string& folder) {
  TRY_LET(const std::vector<std::string> names, list_folder(folder));
  for (const std::string& name : names) {
    const std::string path = join_path(folder, name);
    struct stat status = {};
    if (::lstat(path.c_str(), &status) != 0) return fail_errno("look at '{}'", path);
    if (!S_ISDIR(status.st_mode)) return true;
    TRY_LET(const bool inner, holds_something(path));
    if (inner) return true;
  }
  return false;
}

/// Puts the signature into a new tree, when that holds anything else.
Result<> sign(const Repository& repository, const std::string& tree, const std::string& folder, const Contents& meant) {
  if (signed_folder(folder) != folder) return {};
  const std::string path = fmt::format("{}/{}", tree, kSignatureName);
  TRY(remove_tree(path));
  TRY_LET(const bool filled, holds_something(tree));
  if (!filled) return {};
  TRY_LET(const Fd fd, open_folder(tree));
  TRY_LET(const std::string signature, repository.proof()->sign(fd, folder, meant));
  return write_new_file(path, signature);
}

/// Builds one at `next`, with everything of the old one that stays. `before`: what was vouched for in it.
Result<Staged> stage(const Repository& repository, const FolderChange& what, const Contents& before, std::string next) {
  Staged staged{.target = join_path(repository.folder(), what.folder), .next = std::move(next)};
  TRY(make_real_folders(repository.folder(), parent_of(what.folder)));
  struct stat status = {};
  staged.replaces = ::lstat(staged.target.c_str(), &status) == 0;
  if (staged.replaces && !S_ISDIR(status.st_mode)) return no_folder(what.folder);
  if (staged.replaces) {
    TRY(mirror(staged.target, staged.next));
  } else if (::mkdir(staged.next.c_str(), 0755) != 0) {
    return fail_errno("create '{}'", staged.next);
  }
  for (const std::string& path : what.change.remove) TRY(remove_tree(staged.next + "/" + path));
  for (const auto& [path, bytes] : what.change.files) {
    TRY(clear_place(staged.next, path));
    TRY(write_new_file(staged.next + "/" + path, bytes));
  }
  for (const auto& [path, text] : what.change.links) {
    const std::string place = staged.next + "/" + path;
    TRY(clear_place(staged.next, path));
    if (::symlink(text.c_str(), place.c_str()) != 0) return fail_errno("create the link '{}'", place);
  }
  if (repository.proof() != nullptr) TRY(sign(repository, staged.next, what.folder, changed(before, what.change)));
  TRY_LET(staged.filled, drop_empty_folders(staged.next));
  return staged;
}

/// One system call makes the new folder the folder.
Result<> put_in_place(const Staged& staged) {
  if (!staged.filled)
    return staged.replaces ? rename_flags(staged.target, staged.next + "-old", RENAME_NOREPLACE) : Result<>{};
  return rename_flags(staged.next, staged.target, staged.replaces ? RENAME_EXCHANGE : RENAME_NOREPLACE);
}

Result<> change_folders(const Repository& repository, std::span<const FolderChange> changes,
                        std::span<const Contents> before) {
  TRY_LET(const std::string staging, make_staging(repository));
  std::vector<Staged> all;
  for (const FolderChange& what : changes) {
    TRY_LET(Staged staged, stage(repository, what, before[all.size()], fmt::format("{}/{}", staging, all.size())));
    all.push_back(std::move(staged));
  }
  TRY(all.size() == 1 && changes[0].change.files.size() <= kFewFiles ? flush_tree(all[0].next) : flush_all(staging));
  // From here on the new folders are complete on the disk.
  std::set<std::string> parents;
  for (std::size_t i = 0; i < all.size(); ++i) {
    TRY(put_in_place(all[i]));
    if (repository.proof() != nullptr) repository.proof()->forget(changes[i].folder);
    parents.insert(parent_of(all[i].target));
  }
  if (parents.size() == 1) {
    TRY(sync_folder(*parents.begin()));
  } else {
    TRY(flush_all(staging));
  }
  // The old ones are nobody's now.
  return remove_tree(staging);
}

}  // namespace

std::string lock_path(const std::string& folder) {
  const std::string git = git_folder(folder);
  return git.empty() ? join_path(folder, ".vmcred.lock") : git + "/clan.lock";
}

Lock::~Lock() {
  if (!own_file_.empty()) (void)::unlink(own_file_.c_str());  // left behind it would only be in the way
}

Result<Lock> Lock::take(const Repository& repository, Wait wait) {
  const std::string path = lock_path(repository.folder());
  TRY_LET(Fd fd, lock_file(path, wait));
  // Who held it until now has taken its file away: a lock on that one keeps nobody out.
  while (!is_file_at(fd, path)) {
    TRY_LET(fd, lock_file(path, wait));
  }
  Lock lock(std::move(fd), git_folder(repository.folder()).empty() ? path : "");
  TRY(in("clear what an interrupted change left", remove_tree(join_path(repository.folder(), kStaging))));
  return lock;
}

namespace {

/// A disk that is full takes no change and keeps nothing of it.
Result<> publish_unasked(const Repository& repository, std::span<const FolderChange> changes,
                         std::span<const Contents> before) {
  while (!changes.empty()) {
    const auto some = changes.first(std::min(changes.size(), kTogether));
    changes = changes.subspan(some.size());
    Result<> done = change_folders(repository, some, before.first(some.size()));
    before = before.subspan(some.size());
    if (done) continue;
    (void)remove_tree(join_path(repository.folder(), kStaging));  // the error that matters is the first
    return done;
  }
  return {};
}

/// The folders that are signed as one, at or below `folder`.
Result<std::vector<std::string>> signed_below(const Repository& repository, const std::string& folder) {
  TRY_LET(std::vector<std::string> all, signed_folders(repository.root()));
  std::erase_if(all, [&](const std::string& one) { return one != folder && !one.starts_with(folder + "/"); });
  return all;
}

}  // namespace

Result<> publish(const Repository& repository, const Lock&, std::span<const FolderChange> changes) {
  std::vector<Contents> before;
  for (const FolderChange& what : changes) {
    TRY_LET(Contents contents, may_change(repository, what.folder));
    before.push_back(std::move(contents));
  }
  return publish_unasked(repository, changes, before);
}

Result<> publish(const Repository& repository, const Lock& lock, const std::string& folder, const Change& change) {
  const FolderChange one{.folder = folder, .change = change};
  return publish(repository, lock, {&one, 1});
}

Result<> sign_as_it_is(const Repository& repository, const Lock&, const std::string& folder, const Contents& seen) {
  const FolderChange one{.folder = folder, .change = {}};
  return publish_unasked(repository, {&one, 1}, {&seen, 1});
}

Result<> retire(const Repository& repository, const Lock&, const std::string& folder) {
  TRY_LET(const std::string staging, make_staging(repository));
  const std::string target = join_path(repository.folder(), folder);
  TRY(rename_flags(target, staging + "/old", RENAME_NOREPLACE));
  if (repository.proof() != nullptr) repository.proof()->forget(folder);
  TRY(sync_folder(parent_of(target)));
  (void)::rmdir(parent_of(target).c_str());  // when it was the last one; git does not know empty folders
  return remove_tree(staging);
}

Result<> move_folder(const Repository& repository, const Lock& lock, const std::string& from, const std::string& to) {
  std::vector<std::string> moving;
  if (repository.proof() != nullptr) {
    TRY_LET(moving, signed_below(repository, from));
  }
  std::vector<Contents> contents;
  for (const std::string& one : moving) {
    TRY_LET(Contents vouched, may_change(repository, one));
    contents.push_back(std::move(vouched));
  }
  const std::string target = join_path(repository.folder(), to);
  TRY(make_real_folders(repository.folder(), parent_of(to)));
  TRY(rename_flags(join_path(repository.folder(), from), target, RENAME_NOREPLACE));
  TRY(sync_folder(parent_of(target)));
  TRY(sync_folder(parent_of(join_path(repository.folder(), from))));
  // The place is part of what is signed. Stopped here, `signatures check` names what is left to do.
  for (std::size_t i = 0; i < moving.size(); ++i) {
    repository.proof()->forget(moving[i]);
    TRY(sign_as_it_is(repository, lock, to + moving[i].substr(from.size()), contents[i]));
  }
  return {};
}

void set_links(Change& change, const std::string& folder, const std::string& name, const Links& links) {
  const std::string prefix = name.empty() ? "" : name + "/";
  for (const Kind kind : {Kind::user, Kind::machine, Kind::group}) {
    change.remove.push_back(prefix + std::string(plural(kind)));
    for (const std::string& who : links.of(kind))
      change.links[fmt::format("{}{}/{}", prefix, plural(kind), who)] =
          link_target(name.empty() ? folder : folder + "/" + name, kind, who);
  }
}

}  // namespace vmcred::store
