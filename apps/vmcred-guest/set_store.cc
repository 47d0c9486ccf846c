#include "set_store.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

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
    (void)write_all(fd, std::string(static_cast<std::size_t>(status.st_size), '\0'));  // what remains is removed all the same
  }
  (void)::unlink(path.c_str());
}

/// The text of the field at `index` of a line of words.
std::string_view field(std::string_view line, int index) {
  for (int i = 0; i < index; ++i) line.remove_prefix(std::min(line.size(), line.find(' ') + 1));
  return line.substr(0, line.find(' '));
}

/// "/sets/N" or "/sets/N.TRY" of the uppermost mount on `system`, without "/sets/"; "" where it is another mount.
std::string mounted_name(std::string_view mountinfo, std::string_view system) {
  constexpr std::string_view kSets = "/sets/";
  std::string name;
  while (!mountinfo.empty()) {
    const std::string_view line = mountinfo.substr(0, mountinfo.find('\n'));
    mountinfo.remove_prefix(std::min(mountinfo.size(), line.size() + 1));
    if (field(line, 4) != system) continue;  // (proc(5): id, parent, device, root, mount point)
    const std::string_view root = field(line, 3);
    name = root.starts_with(kSets) ? std::string(root.substr(kSets.size())) : "";
  }
  return name;
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
    if (!is_credential_name(guest) || guest == link::kLinkName) return fail(Errc::invalid_data, "the host sent a credential with a bad name");
    TRY(write_value(join_path(folder, guest), value.bytes()));
  }
  // Bound to itself first, so that it is read-only before anybody sees it.
  if (::mount(folder.c_str(), folder.c_str(), nullptr, MS_BIND, nullptr) != 0) return fail_errno("bind '{}'", folder);
  const auto release = [&] { (void)::umount2(folder.c_str(), MNT_DETACH); };  // only the name in our folder goes
  if (::mount(nullptr, folder.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kQuiet, nullptr) != 0 ||
      ::mount(folder.c_str(), places_.system.c_str(), nullptr, MS_BIND, nullptr) != 0) {
    auto failure = fail_errno("mount the new set over '{}'", places_.system);
    release();
    return failure;
  }
  release();
  // A bind mount does not take over the read-only flag of the mount that it was made from on every kernel.
  if (::mount(nullptr, places_.system.c_str(), nullptr, MS_REMOUNT | MS_BIND | MS_RDONLY | kQuiet, nullptr) != 0) {
    return fail_errno("make '{}' read-only", places_.system);
  }
  return {};
}

Result<> SetStore::take_back() {
  if (::umount2(places_.system.c_str(), MNT_DETACH) != 0) return fail_errno("take the set at '{}' back", places_.system);
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
