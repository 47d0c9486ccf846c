#include "base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace vmcred {
namespace {

constexpr std::size_t kReadStep = 64 * 1024;

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// Removes what stands at `name` below `parent`, staying on the file system `device`.
Result<> remove_at(int parent, const std::string& name, const std::string& shown, dev_t device) {
  struct stat status = {};
  if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    return fail_errno("look at '{}'", shown);
  }
  if (!S_ISDIR(status.st_mode)) {
    if (::unlinkat(parent, name.c_str(), 0) != 0 && errno != ENOENT) return fail_errno("remove '{}'", shown);
    return {};
  }
  if (status.st_dev != device) return fail(Errc::denied, "'{}' is another file system, left alone", shown);
  Fd folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return fail_errno("open '{}'", shown);
  std::vector<std::string> names;
  {
    TRY_LET(Fd copy, duplicate(folder));
    const std::unique_ptr<DIR, CloseFolder> listing(::fdopendir(copy.get()));
    if (!listing) return fail_errno("list '{}'", shown);
    (void)copy.release();                                     // closedir closes it
    while (const dirent* entry = ::readdir(listing.get())) {  // NOLINT(concurrency-mt-unsafe)
      const std::string_view found = entry->d_name;
      if (found != "." && found != "..") names.emplace_back(found);
    }
  }
  for (const std::string& child : names) TRY(remove_at(folder.get(), child, shown + "/" + child, device));
  if (::unlinkat(parent, name.c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT) return fail_errno("remove '{}'", shown);
  return {};
}

/// Reads until the end or until `max_bytes` + 1, appending through `reserve`, which gives room for more.
template <class Room>
Result<std::size_t> read_into(const Fd& fd, const std::string& name, std::size_t max_bytes, Room room) {
  std::size_t used = 0;
  while (true) {
    const WritableBytes space = room(used);
    const ssize_t n = ::read(fd.get(), space.data(), space.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("read '{}'", name);
    if (n == 0) return used;
    used += static_cast<std::size_t>(n);
    if (used > max_bytes) return fail(Errc::invalid_data, "'{}' is larger than {} bytes", name, max_bytes);
  }
}

}  // namespace

Result<std::string> read_all(const Fd& fd, const std::string& name, std::size_t max_bytes) {
  std::string text;
  struct stat status = {};
  const std::size_t guess =
      ::fstat(fd.get(), &status) == 0 && status.st_size > 0 ? static_cast<std::size_t>(status.st_size) : 0;
  if (guess > max_bytes) return fail(Errc::invalid_data, "'{}' is larger than {} bytes", name, max_bytes);
  text.resize(guess + 1);
  TRY_LET(const std::size_t used, read_into(fd, name, max_bytes, [&text](std::size_t at) {
            if (at == text.size()) text.resize(at + kReadStep);
            return WritableBytes(reinterpret_cast<std::uint8_t*>(text.data()) + at, text.size() - at);  // NOLINT
          }));
  text.resize(used);
  return text;
}

Result<std::string> read_file(const std::string& path, std::size_t max_bytes) {
  TRY_LET(const Fd fd, open_for_reading(path));
  return read_all(fd, path, max_bytes);
}

Result<Secret> read_secret(const Fd& fd, const std::string& name, std::size_t max_bytes) {
  struct stat status = {};
  const bool regular = ::fstat(fd.get(), &status) == 0 && S_ISREG(status.st_mode) && status.st_size > 0;
  std::size_t room = regular ? static_cast<std::size_t>(status.st_size) : 4096;
  if (regular && room > max_bytes) return fail(Errc::invalid_data, "'{}' is larger than {} bytes", name, max_bytes);
  Secret secret(std::min(room, max_bytes) + 1);
  TRY_LET(const std::size_t used, read_into(fd, name, max_bytes, [&secret](std::size_t at) {
            if (at == secret.size()) {
              Secret larger(secret.size() * 2);
              std::copy(secret.bytes().begin(), secret.bytes().end(), larger.writable().begin());
              secret = std::move(larger);
            }
            return secret.writable().subspan(at);
          }));
  secret.shrink_to(used);
  return secret;
}

Result<Secret> read_secret(const std::string& path, std::size_t max_bytes) {
  TRY_LET(const Fd fd, open_for_reading(path));
  return read_secret(fd, path, max_bytes);
}

Result<> sync_folder(const std::string& path) {
  TRY_LET(const Fd folder, open_folder(path));
  if (::fsync(folder.get()) != 0 && errno != EINVAL) return fail_errno("sync folder '{}'", path);
  return {};
}

Result<> write_file(const std::string& path, std::string_view bytes, mode_t mode) {
  const std::string folder = folder_of(path);
  std::string temporary = folder + "/.vmcred-XXXXXX";
  Fd fd(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd) return fail_errno("write '{}': make a temporary file beside it", path);
  const auto attempt = [&]() -> Result<> {
    TRY(in(fmt::format("write '{}'", path), write_all(fd, bytes)));
    if (::fchmod(fd.get(), mode) != 0) return fail_errno("set the mode of '{}'", path);
    if (::fsync(fd.get()) != 0 && errno != EINVAL) return fail_errno("sync '{}'", path);
    if (::rename(temporary.c_str(), path.c_str()) != 0) return fail_errno("replace '{}'", path);
    return sync_folder(folder);
  };
  Result<> done = attempt();
  if (!done) (void)::unlink(temporary.c_str());  // the error that matters is the first
  return done;
}

Result<> make_folders(const std::string& path, mode_t mode) {
  if (path.empty() || is_folder(path)) return {};
  const std::string parent = folder_of(path);
  if (parent != path && parent != "." && parent != "/") TRY(make_folders(parent, mode));
  if (::mkdir(path.c_str(), mode) != 0 && errno != EEXIST) return fail_errno("make folder '{}'", path);
  if (!is_folder(path)) return fail(Errc::io, "make folder '{}': a file of that name is in the way", path);
  return {};
}

bool exists(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0;
}

bool is_folder(const std::string& path) {
  struct stat status = {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Result<std::vector<std::string>> list_folder(const std::string& path) {
  const std::unique_ptr<DIR, CloseFolder> listing(::opendir(path.c_str()));
  if (!listing) return fail_errno("list folder '{}'", path);
  std::vector<std::string> names;
  errno = 0;
  while (const dirent* entry = ::readdir(listing.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view found = entry->d_name;
    if (found != "." && found != "..") names.emplace_back(found);
  }
  if (errno != 0) return fail_errno("list folder '{}'", path);
  std::sort(names.begin(), names.end());
  return names;
}

Result<> remove_tree(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return fail_errno("look at '{}'", path);
  }
  return remove_at(AT_FDCWD, path, path, status.st_dev);
}

std::string join_path(std::string_view left, std::string_view right) {
  if (left.empty() || right.starts_with('/')) return std::string(right);
  std::string joined(left);
  if (!joined.ends_with('/')) joined += '/';
  return joined.append(right);
}

Result<TemporaryFolder> TemporaryFolder::make(const std::string& parent) {
  std::string path = join_path(parent, "vmcred-XXXXXX");
  if (::mkdtemp(path.data()) == nullptr) return fail_errno("make a temporary folder below '{}'", parent);
  return TemporaryFolder(std::move(path));
}

TemporaryFolder::~TemporaryFolder() {
  if (!path_.empty()) (void)remove_tree(path_);  // nobody is left to tell
}

Result<Fd> lock_file(const std::string& path, Wait wait) {
  Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd) return fail_errno("open the lock '{}'", path);
  while (::flock(fd.get(), LOCK_EX | (wait == Wait::no ? LOCK_NB : 0)) != 0) {
    if (errno == EINTR) continue;
    if (errno == EWOULDBLOCK) {
      return hint(fail(Errc::unavailable, "'{}' is locked by another command", path),
                  "wait for it to end, then try again");
    }
    return fail_errno("lock '{}'", path);
  }
  return fd;
}

}  // namespace vmcred
