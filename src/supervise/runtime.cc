#include "supervise/runtime.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>

#include "base/file.h"
#include "base/public_folders.h"

namespace vmcred::supervise {
namespace {

Result<> empty_folder(const std::string& path) {
  TRY_LET(const auto names, list_folder(path));
  for (const std::string& name : names) TRY(remove_tree(join_path(path, name)));
  return {};
}

/// Locks the folder itself, so that no lock file is left over. False: somebody else holds it.
Result<bool> lock_folder(const Fd& folder, const std::string& path) {
  if (::flock(folder.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  return fail_errno("lock '{}'", path);
}

/// Whether `path` still names the folder that is open: its last holder may have removed it meanwhile.
bool still_there(const Fd& folder, const std::string& path) {
  struct stat opened = {};
  struct stat named = {};
  return ::fstat(folder.get(), &opened) == 0 && ::lstat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino &&
         opened.st_dev == named.st_dev;
}

/// A folder that only we may enter. systemd's or one of an earlier run is fine, somebody else's is not.
Result<bool> make_private(const std::string& path) {
  const std::string parent = path.substr(0, path.rfind('/'));
  TRY(make_public_folders(parent));
  const bool made = ::mkdir(path.c_str(), 0700) == 0;
  if (!made && errno != EEXIST) return fail_errno("make the runtime folder '{}'", path);
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) return fail_errno("look at '{}'", path);
  if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid()) {
    return hint(fail(Errc::denied, "the runtime folder '{}' belongs to somebody else", path), "remove it");
  }
  if (::chmod(path.c_str(), 0700) != 0) return fail_errno("protect '{}'", path);
  return made;
}

}  // namespace

Result<std::string> runtime_path(const RuntimePlaces& places, const std::string& vm) {
  // RUNTIME_DIRECTORY is a list: our template names one folder, a drop-in may add others, which are not ours to empty.
  if (!places.unit.empty()) {
    const std::string own = join_path(places.system, vm);
    if ((":" + places.unit + ":").find(":" + own + ":") != std::string::npos) return own;
    return places.unit.substr(0, places.unit.find(':'));
  }
  if (!places.own.empty()) return join_path(places.own, vm);
  if (places.root) return join_path(places.system, vm);
  if (places.user.empty()) {
    return hint(fail(Errc::not_found, "no runtime folder for vm '{}'", vm),
                "set XDG_RUNTIME_DIR to a private folder of yours (a login session has one), or run as root");
  }
  return join_path(join_path(places.user, "vmcred/vm"), vm);
}

std::vector<std::string> runtime_roots(const RuntimePlaces& places) {
  if (!places.own.empty()) return {places.own};
  std::vector<std::string> roots = {places.system};
  if (!places.user.empty())
    roots.insert(places.root ? roots.end() : roots.begin(), join_path(places.user, "vmcred/vm"));
  return roots;
}

bool is_held(const std::string& path) {
  constexpr std::size_t kMaxLocks = 16UL * 1024 * 1024;
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) return false;
  const Result<std::string> locks = read_file("/proc/locks", kMaxLocks);
  if (!locks) return true;  // what nobody can tell is not called free
  // proc_locks(5): "1: FLOCK  ADVISORY  WRITE 812 00:19:1234 0 EOF"
  const std::string mark = fmt::format(" {:02x}:{:02x}:{} ", major(status.st_dev), minor(status.st_dev), status.st_ino);
  for (std::string_view rest = *locks; !rest.empty();) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    if (line.contains("FLOCK") && !line.contains("->") && line.contains(mark)) return true;
  }
  return false;
}

Result<RuntimeFolder> RuntimeFolder::hold(const std::string& path, const std::string& vm) {
  constexpr int kAttempts = 10;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    TRY_LET(const bool made, make_private(path));
    TRY_LET(Fd folder, open_folder(path));
    TRY_LET(const bool locked, lock_folder(folder, path));
    if (!locked) break;
    if (!still_there(folder, path)) continue;
    TRY(empty_folder(path));
    return RuntimeFolder(path, std::move(folder), made);
  }
  return hint(fail(Errc::unavailable, "vm '{}' runs already", vm), fmt::format("see 'vmcred vm status {}'", vm));
}

RuntimeFolder::~RuntimeFolder() {
  if (!lock_) return;
  // At the end nobody is left to hear of a failure, and the next run cleans up again.
  (void)empty_folder(path_);
  if (made_) (void)::rmdir(path_.c_str());
}

}  // namespace vmcred::supervise
