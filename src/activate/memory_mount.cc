#include "activate/memory_mount.h"

#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/file.h"

namespace vmcred::activate {
namespace {

constexpr std::size_t kMaxMountinfo = 16 * 1024 * 1024;
constexpr unsigned long kFlags = MS_NODEV | MS_NOEXEC | MS_NOSUID;

/// Whether the mount on exactly `path` in /proc/self/mountinfo (proc(5)) has `option` among its superblock's.
bool has_option(std::string_view mountinfo, std::string_view path, std::string_view option) {
  bool found = false;
  while (!mountinfo.empty()) {
    const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(mountinfo.size(), line.size() + 1));
    const std::string place = fmt::format(" {} ", path);
    const std::size_t dash = line.find(" - ");
    if (dash == std::string_view::npos || !line.substr(0, dash + 1).contains(place)) continue;
    const std::string options = fmt::format(",{},", line.substr(line.rfind(' ') + 1));
    found = options.contains(fmt::format(",{},", option));  // the last mount on a place is the one that is seen
  }
  return found;
}

bool is_mount_point(const std::string& path) {
  struct stat here = {};
  struct stat above = {};
  return ::lstat(path.c_str(), &here) == 0 && ::lstat(join_path(path, "..").c_str(), &above) == 0 &&
         here.st_dev != above.st_dev;
}

}  // namespace

Result<bool> never_swapped(const std::string& path) {
  struct statfs status = {};
  if (::statfs(path.c_str(), &status) != 0) return fail_errno("look at the file system of '{}'", path);
  if (status.f_type == RAMFS_MAGIC) return true;
  if (status.f_type != TMPFS_MAGIC) return false;
  TRY_LET(const std::string mountinfo, read_file("/proc/self/mountinfo", kMaxMountinfo));
  return has_option(mountinfo, path, "noswap");
}

Result<> mount_memory(const std::string& path) {
  TRY(make_folders(path, 0751));
  if (is_mount_point(path)) {
    TRY_LET(const bool good, never_swapped(path));
    if (good) return {};
    return hint(fail(Errc::denied, "'{}' is a mount of something that may be swapped or stored", path),
                "unmount it; vmcred mounts ramfs there");
  }
  if (::mount("vmcred", path.c_str(), "tmpfs", kFlags, "mode=0751,size=64m,nr_inodes=64k,noswap") == 0) return {};
  if (errno == EPERM) {
    return hint(fail_errno("mount memory on '{}'", path), "run as root; 'vmcred vm run' alone needs no activation");
  }
  if (::mount("vmcred", path.c_str(), "ramfs", kFlags, "mode=0751") != 0) {
    return fail_errno("mount memory on '{}'", path);
  }
  return {};
}

}  // namespace vmcred::activate
