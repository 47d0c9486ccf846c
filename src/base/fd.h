// The one owner of file descriptors, and the ways to get one. Every open is close-on-exec.
#pragma once

#include <unistd.h>

#include <string>
#include <utility>

#include "base/result.h"

namespace vmcred {

/// Owns one descriptor; only Fd closes.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int raw) noexcept : raw_(raw) {}
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  Fd(Fd&& other) noexcept : raw_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    Fd(std::move(other)).swap(*this);  // the old descriptor dies with the temporary
    return *this;
  }
  ~Fd() {
    if (raw_ >= 0) ::close(raw_);
  }
  [[nodiscard]] int get() const noexcept { return raw_; }
  [[nodiscard]] int release() noexcept { return std::exchange(raw_, -1); }
  explicit operator bool() const noexcept { return raw_ >= 0; }
  void swap(Fd& other) noexcept { std::swap(raw_, other.raw_); }

 private:
  int raw_ = -1;
};

struct FdPair {
  Fd first;   ///< pipe: the reading end
  Fd second;  ///< pipe: the writing end
};

/// Opens an existing file for reading; a folder, device or fifo is refused with `invalid_data` (reading could hang).
Result<Fd> open_for_reading(const std::string& path);

/// Opens a folder (O_DIRECTORY) for *at() calls.
Result<Fd> open_folder(const std::string& path);

/// Opens `path` below `folder` for reading and refuses to leave it: no symlinks, no "..", no mount magic
/// (openat2 RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS).
Result<Fd> open_beneath(const Fd& folder, const std::string& path, int flags);

Result<FdPair> make_pipe();
/// A connected pair of AF_UNIX stream sockets.
Result<FdPair> make_socket_pair();

/// An anonymous file in memory with mode 0600, not executable. `name` is only a label in /proc.
Result<Fd> make_memfd(const std::string& name);

/// One write(2), with its result and errno, but a reader that is gone is EPIPE in every program, whatever it did about
/// SIGPIPE.
ssize_t write_some(const Fd& fd, std::string_view bytes);

/// Writes all bytes, through short writes and EINTR.
Result<> write_all(const Fd& fd, std::string_view bytes);

/// An independent close-on-exec copy.
Result<Fd> duplicate(const Fd& fd);

Result<> set_nonblocking(const Fd& fd, bool on);

}  // namespace vmcred
