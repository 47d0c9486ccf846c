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
  std::array<char, PATH_MAX> text;
  const ssize_t size = ::readlinkat(folder, name, text.data(), text.size());
  if (size < 0) return fail_errno("read the link '{}'", name);
  entry.target.assign(text.data(), static_cast<std::size_t>(size));
  return entry;
}

}  // namespace

Result<std::vector<Entry>> entries_in(const Fd& root, const std::string& path, std::string_view shown) {
  const std::string_view spoken = shown.empty() ? std::string_view(path) : shown;
  const Fd fd = try_open_beneath(root, path, O_RDONLY | O_DIRECTORY);
  std::vector<Entry> entries;
  if (!fd && (errno == ENOENT || errno == ENOTDIR)) return entries;
  if (!fd) return fail_errno("open '{}'", spoken);
  // Not readdir: these folders hold a name or two, and there are thousands of them.
  alignas(dirent64) std::array<char, 4096> names;
  while (true) {
    const long size = ::syscall(SYS_getdents64, fd.get(), names.data(), names.size());
    if (size < 0) return fail_errno("read folder '{}'", spoken);
    if (size == 0) break;
    for (long at = 0; at < size;) {
      const auto* const item = reinterpret_cast<const dirent64*>(names.data() + at);  // NOLINT
      at += item->d_reclen;
      const std::string_view name = item->d_name;
      if (name == "." || name == "..") continue;
      TRY_LET(Entry entry, in(spoken, look_at(fd.get(), item->d_name, item->d_type)));
      entries.push_back(std::move(entry));
    }
  }
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

}  // namespace vmcred::store
