#include "set_store.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>
#include <vector>

#include "base/file.h"
#include "credentials.h"
#include "link/address.h"

namespace vmcred::guest {
namespace {

constexpr unsigned long kQuiet = MS_NOSUID | MS_NODEV | MS_NOEXEC;

bool is_ramfs(const std::string& path) {
  struct statfs system = {};
  return ::statfs(path.c_str(), &system) == 0 && system.f_type == RAMFS_MAGIC;
}

/// Writes a file that must not exist yet.
Result<> write_value(const std::string& path, Bytes value) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0400));
  if (!fd) return fail_errno("make '{}'", path);
  return in(fmt::format("write '{}'", path), write_all(fd, text_of(value)));
}

/// Overwrites before it removes: ramfs pages that are freed are not cleared.
void wipe_file(const std::string& path) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  struct stat status = {};
  if (fd && ::fstat(fd.get(), &status) == 0) {
    (void)write_all(
        fd, std::string(static_cast<std::size_t>(status.st_size), '\0'));  // what remains is removed all the same
  }
  (void)::unlink(path.c_str());
}

/// The text of the field at `index` of a line of words.
std::string_view field(std::string_view line, int index) {
  for (int i = 0; i < index; ++i) line.remove_prefix(std::min(line.size(), line.find(' ') + 1));
  return line.substr(0, line.find(' '));
}

/// A line of mountinfo (proc(5): id, parent, device, root, mount point).
struct Mount {
  std::string_view id;
  std::string_view parent;
  std::string_view root;
};

/// The mounts on `path`, from the lowest to the uppermost, which is no other's parent. The order of lines says nothing.
std::vector<Mount> stack_on(std::string_view mountinfo, std::string_view path) {
  std::vector<Mount> mounts;
  while (!mountinfo.empty()) {
    const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(mountinfo.size(), line.size() + 1));
    if (field(line, 4) == path)
      mounts.push_back({.id = field(line, 0), .parent = field(line, 1), .root = field(line, 3)});
  }
  std::map<std::string_view, const Mount*> child_of;
  for (const Mount& mount : mounts) child_of.emplace(mount.parent, &mount);
  const auto lowest = std::ranges::find_if(mounts, [&](const Mount& mount) {
    return std::ranges::none_of(mounts, [&](const Mount& other) { return other.id == mount.parent; });
  });
  std::vector<Mount> stack;
  for (const Mount* next = lowest == mounts.end() ? nullptr : &*lowest;
       next != nullptr && stack.size() < mounts.size();) {
    stack.push_back(*next);
    const auto above = child_of.find(next->id);
    next = above == child_of.end() ? nullptr : above->second;
  }
  return stack;
}

/// "N" or "N.TRY" of a mount that is a set of ours; "" of another.
std::string set_name(const Mount& mount) {
  constexpr std::string_view kSets = "/sets/";
  return mount.root.starts_with(kSets) ? std::string(mount.root.substr(kSets.size())) : "";
}

/// The name of the uppermost mount on `system`; "" where it is none of ours.
std::string mounted_name(std::string_view mountinfo, std::string_view system) {
  const auto stack = stack_on(mountinfo, system);
  return stack.empty() ? "" : set_name(stack.back());
}

/// A read-only mount of `folder` that has no place yet (open_tree(2), mount_setattr(2): Linux 5.12).
Result<Fd> detached_mount(const std::string& folder) {
  Fd mount(::open_tree(AT_FDCWD, folder.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC));
  if (!mount) return fail_errno("bind '{}'", folder);
  mount_attr change = {};
  change.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  if (::mount_setattr(mount.get(), "", AT_EMPTY_PATH, &change, sizeof change) != 0)
    return fail_errno("make '{}' read-only", folder);
  return mount;
}

/// Puts `folder` below the uppermost mount on `system` and takes that one away: who looks sees the old or the new one,
/// and no mount more is there than before (move_mount(2) with MOVE_MOUNT_BENEATH: Linux 6.5). False: this kernel
/// cannot, nothing was changed.
bool exchange_mounts(const std::string& folder, const std::string& system) {
  constexpr unsigned kBeneath = 0x200;  // MOVE_MOUNT_BENEATH, which older headers do not have
  const auto mount = detached_mount(folder);
  if (!mount || ::move_mount(mount->get(), "", AT_FDCWD, system.c_str(), MOVE_MOUNT_F_EMPTY_PATH | kBeneath) != 0)
    return false;
  // Should this fail the old set stays in place, and the caller puts the new one on top of it.
  return ::umount2(system.c_str(), MNT_DETACH) == 0;
}

/// Puts `folder` on top of what is on `system`.
Result<> stack_up(const std::string& folder, const std::string& system) {
  // Bound to itself first, so that it is read-only before anybody sees it.
  if (::mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr) != 0) return fail_errno("bind '{}'", folder);
  const auto release = [&] { (void)::umount2(folder.c_str(), MNT_DETACH); };  // only the name in our folder goes
  if (::mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kQuiet, nullptr) != 0 ||
      ::mount(folder.c_str(), system.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    auto failure = fail_errno("mount the new set over '{}'", system);
    release();
    return failure;
  }
  release();
  // A bind mount does not take over the read-only flag of the mount that it was made from on every kernel.
  if (::mount(nullptr, system.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kQuiet, nullptr) != 0) {
    return fail_errno("make '{}' read-only", system);
  }
  return {};
}

}  // namespace

std::uint64_t mounted_generation(std::string_view mountinfo, std::string_view system) {
  const std::string name = mounted_name(mountinfo, system);
  std::uint64_t generation = 0;
  (void)std::from_chars(name.data(), name.data() + name.size(), generation);  // stays 0 where there is no number
  return generation;
}

Result<SetStore> SetStore::open(StorePlaces places) {
  TRY(make_folders(places.folder, 0700));
  if (!is_ramfs(places.folder) && ::mount("vmcred", places.folder.c_str(), "ramfs", kQuiet, "mode=0700") != 0) {
    return fail_errno("mount a ramfs at '{}'", places.folder);
  }
  TRY(make_folders(places.folder + "/sets", 0700));
  TRY(make_folders(places.system, 0700));
  return SetStore(std::move(places));
}

Result<std::uint64_t> SetStore::current() const {
  TRY_LET(const std::string mounts, read_file("/proc/self/mountinfo", 4 * kMaxCredential));
  return mounted_generation(mounts, places_.system);
}

Result<> SetStore::put(const link::Set& set) {
  std::string name = fmt::format("{}", set.generation);
  for (int tried = 1; exists(set_folder(name)); ++tried) name = fmt::format("{}.{}", set.generation, tried);
  const std::string folder = set_folder(name);
  if (::mkdir(folder.c_str(), 0700) != 0) return fail_errno("make '{}'", folder);
  const auto link_line = read_secret(join_path(places_.system, link::kLinkName), 256);
  if (link_line) TRY(write_value(join_path(folder, link::kLinkName), link_line->bytes()));
  for (const auto& [guest, value] : set.values) {
    if (!is_credential_name(guest) || guest == link::kLinkName)
      return fail(Errc::invalid_data, "the host sent a credential with a bad name");
    TRY(write_value(join_path(folder, guest), value.bytes()));
  }
  TRY_LET(const std::string mounts, read_file("/proc/self/mountinfo", 4 * kMaxCredential));
  const std::string old = mounted_name(mounts, places_.system);
  // What PID 1 imported stays at the bottom; a set of ours gives its place to the next one.
  if (old.empty() || !places_.exchanges || !exchange_mounts(folder, places_.system)) {
    TRY(stack_up(folder, places_.system));
    before_.reset();
  } else {
    before_ = old;
  }
  return {};
}

Result<> SetStore::take_back() {
  const std::optional<std::string> before = std::exchange(before_, std::nullopt);
  if (before && exchange_mounts(set_folder(*before), places_.system)) return {};
  if (before) return stack_up(set_folder(*before), places_.system);
  if (::umount2(places_.system.c_str(), MNT_DETACH) != 0)
    return fail_errno("take the set at '{}' back", places_.system);
  return {};
}

Result<> SetStore::forget_others() {
  TRY_LET(const std::string mounts, read_file("/proc/self/mountinfo", 4 * kMaxCredential));
  const std::string kept = mounted_name(mounts, places_.system);
  TRY_LET(const auto sets, list_folder(places_.folder + "/sets"));
  for (const std::string& name : sets) {
    if (name == kept) continue;
    const auto files = list_folder(set_folder(name));
    if (!files) continue;
    for (const std::string& file : *files) wipe_file(join_path(set_folder(name), file));
    (void)::rmdir(set_folder(name).c_str());  // busy while it is a mount's root below ours; it is empty by now
  }
  return {};
}

Result<std::optional<Secret>> SetStore::session() const {
  auto session = read_secret(places_.folder + "/session", 64);
  if (session) return std::optional(*std::move(session));
  if (session.error().code == Errc::not_found) return std::nullopt;
  return std::unexpected(session.error());
}

Result<> SetStore::keep_session(const Secret& session) {
  const std::string path = places_.folder + "/session";
  const std::string fresh = path + ".new";
  (void)::unlink(fresh.c_str());  // of an agent that was killed
  TRY(write_value(fresh, session.bytes()));
  if (::rename(fresh.c_str(), path.c_str()) != 0) return fail_errno("replace '{}'", path);
  return {};
}

}  // namespace vmcred::guest
