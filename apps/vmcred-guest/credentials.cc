#include "credentials.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

#include "base/file.h"

namespace vmcred::guest {
namespace {

Result<std::optional<Folder>> open_one(const std::string& path, bool encrypted, bool must_exist) {
  const int raw = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (raw < 0 && errno == ENOENT && !must_exist) return std::nullopt;
  if (raw < 0) return fail_errno("open credentials directory '{}'", path);
  return Folder{.path = path, .fd = Fd(raw), .encrypted = encrypted};
}

/// The super-block options of the mount that `path` is on hold "noswap" (tmpfs, systemd 254 and Linux 6.4).
bool never_swapped(const std::string& path) {
  const auto mounts = read_file("/proc/self/mountinfo", kMaxCredential);
  if (!mounts) return false;
  std::string_view rest = *mounts;
  std::size_t longest = 0;
  bool noswap = false;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    std::string_view field = line;
    for (int i = 0; i < 4; ++i) field.remove_prefix(std::min(field.size(), field.find(' ') + 1));
    const std::string_view point = field.substr(0, field.find(' '));
    const bool covers = path == point || (path.starts_with(point) && (point == "/" || path[point.size()] == '/'));
    if (!covers || point.size() < longest) continue;  // of equal ones the last covers the others
    longest = point.size();
    const auto options = line.rfind(' ');
    noswap = ("," + std::string(line.substr(options + 1)) + ",").contains(",noswap,");
  }
  return noswap;
}

}  // namespace

std::string present_folder() { return is_folder(kSystemFolder) ? kSystemFolder : kRunStore; }

Result<std::vector<Folder>> open_folders(bool system) {
  std::vector<Folder> folders;
  for (const bool encrypted : {true, false}) {
    std::string path = encrypted ? "/run/credentials/@encrypted" : kSystemFolder;
    if (!system) {
      const char* const given =
          std::getenv(encrypted ? "ENCRYPTED_CREDENTIALS_DIRECTORY" : "CREDENTIALS_DIRECTORY");  // NOLINT
      if (given == nullptr) continue;
      path = given;
      if (!path.starts_with('/')) return fail(Errc::usage, "the credentials directory '{}' is not absolute", path);
    }
    TRY_LET(auto folder, open_one(path, encrypted, !system));
    if (folder) folders.push_back(*std::move(folder));
  }
  return folders;
}

Result<std::vector<Folder>> open_run_store() {
  std::vector<Folder> folders;
  TRY_LET(auto folder, open_one(kRunStore, false, false));
  if (folder) folders.push_back(*std::move(folder));
  return folders;
}

bool is_credential_name(std::string_view name) {
  return !name.empty() && name.size() <= 255 && name != "." && name != ".." &&
         std::ranges::all_of(name, [](char c) { return c >= 0x20 && c <= 0x7e && c != '/' && c != ':'; });
}

Result<std::vector<Credential>> credentials_in(const Folder& folder) {
  struct statfs system = {};
  if (::fstatfs(folder.fd.get(), &system) != 0) return fail_errno("look at '{}'", folder.path);
  const bool locked = system.f_type == RAMFS_MAGIC || (system.f_type == TMPFS_MAGIC && never_swapped(folder.path));
  TRY_LET(Fd copy, duplicate(folder.fd));
  const std::unique_ptr<DIR, int (*)(DIR*)> entries(::fdopendir(copy.get()), ::closedir);
  if (!entries) return fail_errno("read '{}'", folder.path);
  (void)copy.release();  // the DIR owns it now
  ::rewinddir(entries.get());
  std::vector<Credential> found;
  while (const dirent* entry = ::readdir(entries.get())) {  // NOLINT(concurrency-mt-unsafe): one thread
    const std::string name = entry->d_name;
    struct stat status = {};
    if (!is_credential_name(name) || ::fstatat(folder.fd.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
      continue;
    if (!S_ISREG(status.st_mode)) continue;
    found.push_back({.name = name,
                     .path = join_path(folder.path, name),
                     .secure = folder.encrypted               ? "encrypted"
                               : (status.st_mode & 0377) != 0 ? "insecure"
                               : locked                       ? "secure"
                                                              : "weak",
                     .size = static_cast<std::uint64_t>(status.st_size)});
  }
  return found;
}

Result<Secret> read_credential(const Folder& folder, const std::string& name) {
  const int raw = ::openat(folder.fd.get(), name.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (raw < 0) return fail_errno("open '{}'", join_path(folder.path, name));
  return read_secret(Fd(raw), join_path(folder.path, name), kMaxCredential);
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kStep = 1024;
  constexpr std::string_view kUnits = "BKMGTPE";
  std::size_t unit = 0;
  std::uint64_t factor = 1;
  while (unit + 1 < kUnits.size() && bytes / factor >= kStep) {
    factor *= kStep;
    ++unit;
  }
  if (unit == 0) return fmt::format("{}B", bytes);
  return fmt::format("{}.{}{}", bytes / factor, bytes / (factor / kStep) * 10 / kStep % 10, kUnits[unit]);
}

Secret without_space(std::string_view text) {
  Secret out(text.size());
  std::size_t used = 0;
  for (const char c : text) {
    if (!std::string_view(" \t\r\n").contains(c)) out.writable()[used++] = static_cast<std::uint8_t>(c);
  }
  out.shrink_to(used);
  return out;
}

}  // namespace vmcred::guest
