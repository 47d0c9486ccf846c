#include "store/publish.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "store/git.h"
#include "store/statement.h"

namespace vmcred::store {
namespace {

/// Beside the trees that clan reads, on their file system. It exists only while a change is made.
constexpr std::string_view kStaging = "vars/.vmcred-staging";

std::string parent_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string(".") : path.substr(0, slash);
}

/// Writes a file and asks the kernel to begin bringing it to the disk. The caller calls fsync later, for all files
/// together: then the first call does the work of all.
Result<Fd> write_new_file(const std::string& path, std::string_view bytes) {
  Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd) return fail_errno("create '{}'", path);
  if (::fchmod(fd.get(), 0644) != 0) return fail_errno("set the mode of '{}'", path);
  TRY(in(fmt::format("write '{}'", path), write_all(fd, bytes)));
  (void)::sync_file_range(fd.get(), 0, 0, SYNC_FILE_RANGE_WRITE);  // a hint; fsync tells of failures
  return fd;
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

/// Flushes the folders of a new tree, innermost first; says whether anything but folders is in it.
Result<bool> settle(const std::string& folder) {
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
    TRY_LET(const bool inner, settle(path));
    if (inner) {
      filled = true;
    } else if (::rmdir(path.c_str()) != 0) {  // git does not know empty folders, and clan reads them as "not set"
      return fail_errno("remove the empty folder '{}'", path);
    }
  }
  TRY(sync_folder(folder));
  return filled;
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
      return hint(fail(Errc::invalid_data, "'{}' is no folder, so nothing is written there", folder),
                  "remove it, or put the folder there that it stands for");
    }
  }
  return {};
}

/// Makes room at `path` of a new tree: its folders are there, nothing is at the place itself.
Result<> clear_place(const std::string& top, const std::string& path) {
  TRY(make_real_folders(top, parent_of(path)));
  return remove_tree(top + "/" + path);
}

struct Staging {
  std::string top;  ///< absolute
  std::string next;
  static Result<Staging> make(const Repository& repository) {
    Staging staging;
    staging.top = join_path(repository.folder(), kStaging);
    staging.next = staging.top + "/next";
    TRY(remove_tree(staging.top));
    TRY(make_real_folders(repository.folder(), std::string(kStaging)));
    return staging;
  }
};

Result<> rename_flags(const std::string& from, const std::string& to, unsigned flags) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), flags) == 0) return {};
  return fail_errno("put '{}' in its place", to);
}

bool is_there(const std::string& path) {
  struct stat status = {};
  return ::lstat(path.c_str(), &status) == 0;
}

/// What stays in a folder is signed anew with what changes, so it has to be signed well before: nobody's forgery gets our
/// name in passing. Without a demand for signatures, what others signed is not changed.
Result<> may_change(const Repository& repository, const std::string& folder) {
  if (signed_folder(folder) != folder) return {};
  const bool is_folder = is_there(join_path(repository.folder(), folder));
  if (repository.proof() != nullptr) {
    TRY(repository.proof()->may_change());
    return is_folder ? repository.proof()->check_links(repository.root(), folder) : Result<>{};
  }
  if (!is_there(join_path(repository.folder(), fmt::format("{}/{}", folder, kSignatureName)))) return {};
  return hint(fail(Errc::denied, "'{}' is signed, and you trust nobody's signatures", folder),
              "run 'vmcred signatures keygen', and add the keys of those who sign here to your trusted-signers");
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
Result<> sign(const Repository& repository, const std::string& tree, const std::string& folder, std::vector<Fd>& written) {
  if (signed_folder(folder) != folder) return {};
  const std::string path = fmt::format("{}/{}", tree, kSignatureName);
  TRY(remove_tree(path));
  TRY_LET(const bool filled, holds_something(tree));
  if (!filled) return {};
  TRY_LET(const Fd fd, open_folder(tree));
  TRY_LET(const std::string signature, repository.proof()->sign(fd, folder));
  TRY_LET(Fd file, write_new_file(path, signature));
  written.push_back(std::move(file));
  return {};
}

}  // namespace

std::string lock_path(const std::string& folder) {
  const std::string git = git_folder(folder);
  return git.empty() ? join_path(folder, ".vmcred.lock") : git + "/clan.lock";
}

Result<Lock> Lock::take(const Repository& repository, Wait wait) {
  TRY_LET(Fd fd, lock_file(lock_path(repository.folder()), wait));
  TRY(in("clear what an interrupted change left", remove_tree(join_path(repository.folder(), kStaging))));
  return Lock(std::move(fd));
}

namespace {

Result<> exchange(const Repository& repository, const std::string& folder, const Change& change) {
  const std::string target = join_path(repository.folder(), folder);
  TRY_LET(const Staging staging, Staging::make(repository));
  // 1. Beside the old folder a new one, with everything that stays.
  TRY(make_real_folders(repository.folder(), parent_of(folder)));
  struct stat status = {};
  const bool replaces = ::lstat(target.c_str(), &status) == 0;
  if (replaces && !S_ISDIR(status.st_mode)) return fail(Errc::invalid_data, "'{}' is no folder", folder);
  if (replaces) {
    TRY(mirror(target, staging.next));
  } else if (::mkdir(staging.next.c_str(), 0755) != 0) {
    return fail_errno("create '{}'", staging.next);
  }
  for (const std::string& path : change.remove) TRY(remove_tree(staging.next + "/" + path));
  std::vector<Fd> written;
  for (const auto& [path, bytes] : change.files) {
    TRY(clear_place(staging.next, path));
    TRY_LET(Fd file, write_new_file(staging.next + "/" + path, bytes));
    written.push_back(std::move(file));
  }
  for (const auto& [path, text] : change.links) {
    const std::string place = staging.next + "/" + path;
    TRY(clear_place(staging.next, path));
    if (::symlink(text.c_str(), place.c_str()) != 0) return fail_errno("create the link '{}'", place);
  }
  if (repository.proof() != nullptr) TRY(sign(repository, staging.next, folder, written));
  for (const Fd& file : written)
    if (::fsync(file.get()) != 0) return fail_errno("write the new files of '{}' to the disk", folder);
  TRY_LET(const bool filled, settle(staging.next));
  // From here on the new folder is complete on the disk. 2. One system call makes it the folder.
  if (!filled) {
    if (replaces) TRY(rename_flags(target, staging.top + "/old", RENAME_NOREPLACE));
  } else if (replaces) {
    TRY(rename_flags(staging.next, target, RENAME_EXCHANGE));
  } else {
    TRY(rename_flags(staging.next, target, RENAME_NOREPLACE));
  }
  if (repository.proof() != nullptr) repository.proof()->forget(folder);
  TRY(sync_folder(parent_of(target)));
  // 3. The old one is nobody's now.
  return remove_tree(staging.top);
}

/// A disk that is full takes no change and keeps nothing of it.
Result<> publish_unasked(const Repository& repository, const Lock&, const std::string& folder, const Change& change) {
  Result<> done = exchange(repository, folder, change);
  if (!done) (void)remove_tree(join_path(repository.folder(), kStaging));
  return done;
}

/// The folders that are signed as one, at or below `folder`.
Result<std::vector<std::string>> signed_below(const Repository& repository, const std::string& folder) {
  TRY_LET(std::vector<std::string> all, signed_folders(repository));
  std::erase_if(all, [&](const std::string& one) { return one != folder && !one.starts_with(folder + "/"); });
  return all;
}

}  // namespace

Result<> publish(const Repository& repository, const Lock& lock, const std::string& folder, const Change& change) {
  TRY(may_change(repository, folder));
  return publish_unasked(repository, lock, folder, change);
}

Result<> sign_as_it_is(const Repository& repository, const Lock& lock, const std::string& folder) {
  return publish_unasked(repository, lock, folder, {});
}

Result<> retire(const Repository& repository, const Lock&, const std::string& folder) {
  TRY_LET(const Staging staging, Staging::make(repository));
  const std::string target = join_path(repository.folder(), folder);
  TRY(rename_flags(target, staging.top + "/old", RENAME_NOREPLACE));
  if (repository.proof() != nullptr) repository.proof()->forget(folder);
  TRY(sync_folder(parent_of(target)));
  (void)::rmdir(parent_of(target).c_str());  // when it was the last one; git does not know empty folders
  return remove_tree(staging.top);
}

Result<> move_folder(const Repository& repository, const Lock& lock, const std::string& from, const std::string& to) {
  std::vector<std::string> moving;
  if (repository.proof() != nullptr) {
    TRY_LET(moving, signed_below(repository, from));
  }
  for (const std::string& one : moving) TRY(may_change(repository, one));
  const std::string target = join_path(repository.folder(), to);
  TRY(make_real_folders(repository.folder(), parent_of(to)));
  TRY(rename_flags(join_path(repository.folder(), from), target, RENAME_NOREPLACE));
  TRY(sync_folder(parent_of(target)));
  TRY(sync_folder(parent_of(join_path(repository.folder(), from))));
  // The place is part of what is signed. Stopped here, `signatures check` names what is left to do.
  for (const std::string& one : moving) {
    repository.proof()->forget(one);
    TRY(sign_as_it_is(repository, lock, to + one.substr(from.size())));
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
