#include "generate/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "generate/bubblewrap.h"
#include "generate/work_folder.h"

namespace vmcred::generate {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

std::string megabytes(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20U); }

/// The number behind "\nNAME:" in a process's status (proc(5)), in bytes.
std::uint64_t kibibytes_in(std::string_view status, std::string_view name) {
  const std::size_t place = status.find(name);
  if (place == std::string_view::npos) return 0;
  std::uint64_t number = 0;
  for (std::size_t at = status.find_first_of("0123456789", place);
       at < status.size() && status[at] >= '0' && status[at] <= '9'; ++at)
    number = number * 10 + static_cast<std::uint64_t>(status[at] - '0');
  return number << 10U;
}

/// What a process alone holds: in memory, in swap, and in the kernel's tables of its addresses.
std::uint64_t held_by(int processes, const std::string& pid) {
  const Fd file(::openat(processes, (pid + "/status").c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 4096> text = {};
  const ssize_t size = file ? ::read(file.get(), text.data(), text.size()) : -1;
  if (size <= 0) return 0;  // it has ended
  const std::string_view status(text.data(), static_cast<std::size_t>(size));
  return kibibytes_in(status, "\nRssAnon:") + kibibytes_in(status, "\nVmSwap:") + kibibytes_in(status, "\nVmPTE:");
}

/// How many sockets of a kind there are in the sandbox's network: each may hold a buffer full of bytes that are in no
/// process.
std::uint64_t sockets_in(const Fd& network, const char* kind) {
  const Fd file(::openat(network.get(), kind, O_RDONLY | O_CLOEXEC));
  std::array<char, 16384> text = {};
  std::uint64_t lines = 0;
  ssize_t size = 0;
  while (file && (size = ::read(file.get(), text.data(), text.size())) > 0)
    lines += static_cast<std::uint64_t>(std::count(text.data(), text.data() + size, '\n'));
  return lines > 0 ? lines - 1 : 0;  // the heading
}

std::uint64_t files_in(const Fd& folder) {
  struct statvfs status = {};
  if (::fstatvfs(folder.get(), &status) != 0 || status.f_files < status.f_ffree) return 0;
  return status.f_files - status.f_ffree;
}

}  // namespace

std::string memory_text(const Limits& limits) {
  return fmt::format("it needed more than {} of memory", megabytes(limits.memory_bytes));
}

Result<Consumption> Consumption::of(const std::string& root) {
  Consumption watched;
  TRY_LET(watched.processes_, open_folder(root + "/proc"));
  TRY_LET(watched.work_, open_folder(root + kSandboxWork));
  TRY_LET(watched.scratch_, open_folder(root + "/tmp"));
  TRY_LET(watched.semaphores_, open_folder(root + "/dev/shm"));
  TRY_LET(watched.network_, open_folder(root + "/proc/1/net"));
  return watched;
}

std::uint64_t Consumption::memory_bytes() const {
  Fd own(::openat(processes_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return 0;
  const std::unique_ptr<DIR, CloseFolder> listing(::fdopendir(own.get()));
  if (!listing) return 0;
  (void)own.release();  // closedir closes it
  std::uint64_t bytes = 0;
  while (const dirent* entry = ::readdir(listing.get()))  // NOLINT(concurrency-mt-unsafe)
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') bytes += held_by(processes_.get(), entry->d_name);
  // The filter lets none of these buffers grow beyond the system's usual size.
  constexpr std::uint64_t kBuffer = 208ULL << 10U;
  constexpr std::uint64_t kTcpBuffers = 10ULL << 20U;
  for (const char* kind : {"unix", "netlink", "udp", "udp6"}) bytes += sockets_in(network_, kind) * kBuffer;
  for (const char* kind : {"tcp", "tcp6"}) bytes += sockets_in(network_, kind) * kTcpBuffers;
  return bytes;
}

std::optional<std::string> Consumption::excess(const Limits& limits) const {
  if (memory_bytes() > limits.memory_bytes) return memory_text(limits);
  for (const Fd* folder : {&work_, &scratch_, &semaphores_})
    if (files_in(*folder) > kMaxFiles) return fmt::format("it made more than {} files", kMaxFiles);
  return {};
}

std::optional<std::string> limit_hit(const Limits& limits, const ExitStatus& status, std::string_view log,
                                     const Fd& work) {
  const auto died_of = [&](int signal) { return status.signal == signal || status.code == 128 + signal; };
  if (died_of(SIGXFSZ) || log.contains("File size limit exceeded") || log.contains("File too large"))
    return fmt::format("a file became larger than {}", megabytes(limits.file_bytes));
  if (is_full(work) || log.contains("No space left on device"))
    return fmt::format("its folders became larger than {}", megabytes(limits.disk_bytes));
  if (log.contains("fork: retry: Resource temporarily unavailable") || log.contains("fork: Resource temporarily"))
    return fmt::format("it started more than {} processes", limits.processes);
  if (log.contains("annot allocate memory") || log.contains("out of memory") || log.contains("memory exhausted") ||
      log.contains("MemoryError"))
    return memory_text(limits);
  return {};
}

std::string spoken(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? fmt::format("{} s", time.count() / 1000) : fmt::format("{} ms", time.count());
}

}  // namespace vmcred::generate
