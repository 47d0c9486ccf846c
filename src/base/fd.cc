#include "base/fd.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <algorithm>

#include "base/open_steps.h"

namespace vmcred {

Result<Fd> open_for_reading(const std::string& path) {
  // O_NONBLOCK so that a fifo cannot stall us before we see what it is; regular files ignore it.
  Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return fail_errno("open '{}'", path);
  struct stat status = {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno("look at '{}'", path);
  if (!S_ISREG(status.st_mode)) {
    return fail(Errc::invalid_data, "'{}' is {}", path, S_ISDIR(status.st_mode) ? "a folder" : "not a regular file");
  }
  return fd;
}

Result<Fd> open_folder(const std::string& path) {
  Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return fail_errno("open folder '{}'", path);
  return fd;
}

Fd try_open_beneath(const Fd& folder, const std::string& path, int flags) {
  struct open_how how = {};
  how.flags = static_cast<unsigned>(flags) | O_CLOEXEC;
  how.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  // Without links, only these two ways lead out; and for RESOLVE_BENEATH the kernel takes a lock that all processes
  // share.
  if (path.starts_with('/') || path.contains("..")) how.resolve |= RESOLVE_BENEATH;
  Fd fd(static_cast<int>(::syscall(SYS_openat2, folder.get(), path.c_str(), &how, sizeof how)));
  if (fd || errno != ENOSYS) return fd;
  Result<Fd> stepwise = open_beneath_in_steps(folder, path, flags);
  return stepwise ? *std::move(stepwise) : Fd();
}

Result<Fd> open_beneath(const Fd& folder, const std::string& path, int flags) {
  Fd fd = try_open_beneath(folder, path, flags);
  if (!fd) return fail_errno("open '{}'", path);
  return fd;
}

Result<Fd> open_beneath_in_steps(const Fd& folder, const std::string& path, int flags) {
  const auto refuse = [&path](int error) {
    Failure failure = system_failure(error, fmt::format("open '{}'", path));
    errno = error;
    return failure;
  };
  if (path.empty()) return refuse(ENOENT);
  if (path.front() == '/') return refuse(EXDEV);
  Fd at;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t slash = std::min(path.find('/', begin), path.size());
    const std::string name = path.substr(begin, slash - begin);
    begin = slash + 1;
    if (name.empty()) continue;
    if (name == "..") return refuse(EXDEV);
    const int parent = at ? at.get() : folder.get();
    struct stat status = {};
    if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return refuse(errno);
    if (S_ISLNK(status.st_mode)) return refuse(ELOOP);
    const bool last = slash == path.size();
    Fd next(::openat(parent, name.c_str(), O_NOFOLLOW | O_CLOEXEC | (last ? flags : O_PATH | O_DIRECTORY)));
    if (!next) return refuse(errno);
    // O_PATH opens a link itself: one that has just taken the place of what we looked at.
    if (::fstat(next.get(), &status) != 0 || S_ISLNK(status.st_mode)) return refuse(ELOOP);
    at = std::move(next);
  }
  return at;
}

Result<FdPair> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return fail_errno("make a pipe");
  return FdPair{Fd(ends[0]), Fd(ends[1])};
}

Result<FdPair> make_socket_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return fail_errno("make a socket pair");
  return FdPair{Fd(ends[0]), Fd(ends[1])};
}

Result<Fd> make_memfd(const std::string& name) {
#ifndef MFD_NOEXEC_SEAL
  constexpr unsigned MFD_NOEXEC_SEAL = 8U;  // Linux 6.3
#endif
  Fd fd(::memfd_create(name.c_str(), MFD_CLOEXEC | MFD_NOEXEC_SEAL));
  if (!fd && errno == EINVAL) fd = Fd(::memfd_create(name.c_str(), MFD_CLOEXEC));
  if (!fd) return fail_errno("make the memory file '{}'", name);
  if (::fchmod(fd.get(), 0600) != 0) return fail_errno("protect the memory file '{}'", name);
  return fd;
}

ssize_t write_some(const Fd& fd, std::string_view bytes) {
  // SIGPIPE is held back for this thread, and one that came is taken off again.
  sigset_t pipe_signal;
  sigset_t before;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &before);
  const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
  const int number = errno;
  if (n < 0 && number == EPIPE) {
    const timespec now = {};
    (void)::sigtimedwait(&pipe_signal, nullptr, &now);
  }
  ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
  errno = number;
  return n;
}

Result<> write_all(const Fd& fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd.get(), bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("write {} bytes", bytes.size());
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<Fd> duplicate(const Fd& fd) {
  Fd copy(::fcntl(fd.get(), F_DUPFD_CLOEXEC, 3));
  if (!copy) return fail_errno("duplicate a descriptor");
  return copy;
}

Result<> set_nonblocking(const Fd& fd, bool on) {
  const int flags = ::fcntl(fd.get(), F_GETFL);
  if (flags < 0 || ::fcntl(fd.get(), F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK) < 0) {
    return fail_errno("change a descriptor's flags");
  }
  return {};
}

}  // namespace vmcred
