#include "service_folder.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/file.h"
#include "credentials.h"

namespace vmcred::guest {
namespace {

constexpr const char* kAccessList = "system.posix_acl_access";
constexpr std::size_t kMaxAccessList = 4096;
constexpr const char* kFresh = ".vmcred.new";  // systemd's own names of credentials never collide: it is ours alone

/// A private, writable look at the mount on `path`: the mount itself stays read-only for everybody (mount_setattr(2),
/// Linux 5.12).
Result<Fd> writable_view(const std::string& path) {
  Fd view(::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!view) return fail_errno("look at the mount '{}'", path);
  mount_attr change = {};
  change.attr_clr = MOUNT_ATTR_RDONLY;
  if (::mount_setattr(view.get(), "", AT_EMPTY_PATH, &change, sizeof change) != 0)
    return fail_errno("write to the mount '{}'", path);
  return view;
}

/// From systemd 259 on the file system itself is read-only as well (fsconfig(2)): it is opened for the time of a
/// change, and only root may write in it.
class OpenedFileSystem {
 public:
  static Result<OpenedFileSystem> of(const Fd& view, const std::string& path) {
    OpenedFileSystem opened;
    struct statvfs status = {};
    if (::fstatvfs(view.get(), &status) != 0) return fail_errno("look at '{}'", path);
    if ((status.f_flag & ST_RDONLY) == 0) return opened;
    opened.system_ = Fd(::fspick(view.get(), "", FSPICK_EMPTY_PATH | FSPICK_CLOEXEC));
    if (!opened.system_ || !opened.say("rw")) return fail_errno("write to the file system at '{}'", path);
    return opened;
  }
  OpenedFileSystem(OpenedFileSystem&&) = default;
  OpenedFileSystem& operator=(OpenedFileSystem&&) = delete;
  ~OpenedFileSystem() {
    if (system_) (void)say("ro");  // root alone could write meanwhile, and may still
  }

 private:
  OpenedFileSystem() = default;
  [[nodiscard]] bool say(const char* flag) const {
    return ::fsconfig(system_.get(), FSCONFIG_SET_FLAG, flag, nullptr, 0) == 0 &&
           ::fsconfig(system_.get(), FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0) == 0;
  }

  Fd system_;
};

/// Who may read the old file may read the new one.
Result<> copy_access(const Fd& from, const Fd& to, const std::string& path) {
  struct stat status = {};
  if (::fstat(from.get(), &status) != 0) return fail_errno("look at '{}'", path);
  if (::fchown(to.get(), status.st_uid, status.st_gid) != 0) return fail_errno("give '{}' to its service", path);
  if (::fchmod(to.get(), status.st_mode & 07777) != 0) return fail_errno("protect '{}'", path);
  std::array<char, kMaxAccessList> list = {};
  const ssize_t size = ::fgetxattr(from.get(), kAccessList, list.data(), list.size());
  if (size < 0 && errno != ENODATA && errno != EOPNOTSUPP) return fail_errno("read the access list of '{}'", path);
  if (size > 0 && ::fsetxattr(to.get(), kAccessList, list.data(), static_cast<std::size_t>(size), 0) != 0) {
    return fail_errno("set the access list of '{}'", path);
  }
  return {};
}

Result<> replace(const Fd& folder, const std::string& id, const Secret& value, const std::string& path) {
  const Fd old(::openat(folder.get(), id.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!old && errno == ENOENT) return {};  // it was not there when the service started: a restart brings it
  if (!old) return fail_errno("open '{}'", path);
  TRY_LET(const Secret before, read_secret(old, path, kMaxCredential));
  if (equal_in_constant_time(before.bytes(), value.bytes())) return {};
  (void)::unlinkat(folder.get(), kFresh, 0);  // of an agent that was killed
  const Fd fresh(::openat(folder.get(), kFresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (!fresh) return fail_errno("make a file beside '{}'", path);
  auto done = write_all(fresh, value.text());
  if (done) done = copy_access(old, fresh, path);
  if (done && ::renameat(folder.get(), kFresh, folder.get(), id.c_str()) != 0) done = fail_errno("replace '{}'", path);
  if (!done) (void)::unlinkat(folder.get(), kFresh, 0);  // the old value is intact
  return done;
}

}  // namespace

Result<> renew_service_folder(const std::string& unit, const std::vector<link::Consumer>& consumers,
                              const ServicePlaces& places) {
  const std::string path = join_path(places.services, unit);
  if (!is_folder(path)) return {};
  TRY_LET(const Fd folder, writable_view(path));
  TRY_LET(const OpenedFileSystem opened, OpenedFileSystem::of(folder, path));
  for (const link::Consumer& consumer : consumers) {
    if (consumer.unit != unit || !is_credential_name(consumer.id)) continue;
    TRY_LET(const Secret value, read_secret(join_path(places.system, consumer.guest), kMaxCredential));
    TRY(replace(folder, consumer.id, value, join_path(path, consumer.id)));
  }
  return {};
}

}  // namespace vmcred::guest
