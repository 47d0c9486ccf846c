// Files and folders: whole reads with limits, atomic writes, locks, private temporary folders.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred {

/// The whole of a regular file; larger than `max_bytes` is refused with `invalid_data`.
Result<std::string> read_file(const std::string& path, std::size_t max_bytes);
Result<std::string> read_all(const Fd& fd, const std::string& name, std::size_t max_bytes);

/// The same for plaintext. `read_secret` takes pipes and sockets too when they come as a descriptor.
Result<Secret> read_secret(const std::string& path, std::size_t max_bytes);
Result<Secret> read_secret(const Fd& fd, const std::string& name, std::size_t max_bytes);

/// Replaces `path` in one step: temporary file beside it, fsync, rename, fsync of the folder. The old content stays on
/// any failure. `mode` is exact (the umask is not applied).
Result<> write_file(const std::string& path, std::string_view bytes, mode_t mode);

/// mkdir -p; existing folders keep their mode.
Result<> make_folders(const std::string& path, mode_t mode = 0755);
Result<> sync_folder(const std::string& path);

[[nodiscard]] bool exists(const std::string& path);     ///< follows links
[[nodiscard]] bool is_folder(const std::string& path);  ///< follows links

/// The names in a folder, sorted, without "." and "..". A missing folder is `not_found`.
Result<std::vector<std::string>> list_folder(const std::string& path);

/// Removes a file, link or whole tree without leaving its file system or following links. Nothing there is no error.
Result<> remove_tree(const std::string& path);

/// Joins with one '/', an absolute right side wins.
[[nodiscard]] std::string join_path(std::string_view left, std::string_view right);

/// A folder of mode 0700 that is removed with all in it at the end.
class TemporaryFolder {
 public:
  /// Makes it below `parent` (default: $TMPDIR is not read; "/tmp").
  static Result<TemporaryFolder> make(const std::string& parent = "/tmp");
  TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  [[nodiscard]] const std::string& path() const { return path_; }
  /// The folder stays; the caller removes it.
  std::string release() { return std::exchange(path_, {}); }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

enum class Wait : std::uint8_t { yes, no };

/// An exclusive flock(2) on `path`, made if missing, given back at the end. With Wait::no a lock that somebody else
/// holds is `unavailable`.
Result<Fd> lock_file(const std::string& path, Wait wait);

}  // namespace vmcred
