#include "store/entries.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

namespace vmcred::store {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

Result<Entry> look_at(int folder, const char* name) {
  Entry entry{.name = name};
  struct stat status = {};
  if (::fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return fail_errno("look at '{}'", name);
  if (S_ISREG(status.st_mode)) entry.type = Entry::Type::file;
  if (S_ISDIR(status.st_mode)) entry.type = Entry::Type::folder;
  if (!S_ISLNK(status.st_mode)) return entry;
  entry.type = Entry::Type::link;
  std::array<char, PATH_MAX> text = {};
  const ssize_t size = ::readlinkat(folder, name, text.data(), text.size());
  if (size < 0) return fail_errno("read the link '{}'", name);
  entry.target.assign(text.data(), static_cast<std::size_t>(size));
  return entry;
}

}  // namespace

Result<std::vector<Entry>> entries_in(const Fd& root, const std::string& path) {
  Result<Fd> fd = open_beneath(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (!fd && fd.error().code == Errc::not_found) return std::vector<Entry>{};
  if (!fd) return std::unexpected(std::move(fd).error());
  const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(fd->get()));
  if (!folder) return fail_errno("read folder '{}'", path);
  (void)fd->release();  // closedir closes it
  std::vector<Entry> entries;
  for (const dirent* item = ::readdir(folder.get()); item != nullptr; item = ::readdir(folder.get())) {
    const std::string_view name = item->d_name;
    if (name == "." || name == "..") continue;
    TRY_LET(Entry entry, in(path, look_at(::dirfd(folder.get()), item->d_name)));
    entries.push_back(std::move(entry));
  }
  std::ranges::sort(entries, {}, &Entry::name);
  return entries;
}

}  // namespace vmcred::store
