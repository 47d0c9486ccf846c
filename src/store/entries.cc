#include "store/entries.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/open_steps.h"

namespace vmcred::store {
namespace {

// Small, because there are thousands of these folders and links: a larger one takes more calls.
constexpr std::size_t kNames = 1024;
constexpr std::size_t kUsualTarget = 128;

/// `type`: as getdents64 says it, where the file system knows.
Result<Entry> look_at(int folder, const char* name, unsigned char type) {
  Entry entry{.name = name};
  if (type == DT_UNKNOWN) {
    struct stat status = {};
    if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return fail_errno("look at '{}'", name);
    type = static_cast<unsigned char>(IFTODT(status.st_mode));
  }
  if (type == DT_REG) entry.type = Entry::Type::file;
  if (type == DT_DIR) entry.type = Entry::Type::folder;
  if (type != DT_LNK) return entry;
  entry.type = Entry::Type::link;
  for (entry.target.resize(kUsualTarget);; entry.target.resize(PATH_MAX)) {
    const ssize_t size = ::readlinkat(folder, name, entry.target.data(), entry.target.size());
    if (size < 0) return fail_errno("read the link '{}'", name);
    const bool whole = static_cast<std::size_t>(size) < entry.target.size() || size == PATH_MAX;
    entry.target.resize(static_cast<std::size_t>(size));
    if (whole) return entry;
  }
}

}  // namespace

Result<std::vector<Entry>> entries_of(const Fd& folder, std::string_view shown) {
  std::vector<Entry> entries;
  // Not readdir: these folders hold a name or two, and there are thousands of them.
  alignas(dirent64) std::array<char, kNames> names;
  while (true) {
    const long size = ::syscall(SYS_getdents64, folder.get(), names.data(), names.size());
    if (size < 0) return fail_errno("read folder '{}'", shown);
    if (size == 0) break;
    for (long at = 0; at < size;) {
      const auto* const item = reinterpret_cast<const dirent64*>(names.data() + at);  // NOLINT
      at += item->d_reclen;
      const std::string_view name = item->d_name;
      if (name == "." || name == "..") continue;
      TRY_LET(Entry entry, in(shown, look_at(folder.get(), item->d_name, item->d_type)));
      entries.push_back(std::move(entry));
    }
  }
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

Result<std::vector<Entry>> entries_in(const Fd& root, const std::string& path, std::string_view shown) {
  const std::string_view spoken = shown.empty() ? std::string_view(path) : shown;
  const Fd folder = try_open_beneath(root, path, O_RDONLY | O_DIRECTORY);
  if (!folder && (errno == ENOENT || errno == ENOTDIR)) return std::vector<Entry>{};
  if (!folder) return fail_errno("open '{}'", spoken);
  return entries_of(folder, spoken);
}

}  // namespace vmcred::store
