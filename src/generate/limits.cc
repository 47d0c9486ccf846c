#include "generate/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <memory>

#include "generate/bubblewrap.h"
#include "generate/work_folder.h"

namespace vmcred::generate {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

std::string megabytes(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20U); }

std::string memory_text(const Limits& limits) {
  return fmt::format("it needed more than {} of memory", megabytes(limits.memory_bytes));
}

/// What a process alone holds in memory, from its line in statm: "size resident shared …", in pages (proc(5)).
std::uint64_t private_pages(int processes, const std::string& pid) {
  const Fd file(::openat(processes, (pid + "/statm").c_str(), O_RDONLY | O_CLOEXEC));
  char text[128] = {};
  unsigned long long resident = 0;
  unsigned long long shared = 0;
  if (!file || ::read(file.get(), text, sizeof text - 1) <= 0) return 0;  // it has ended
  if (std::sscanf(text, "%*u %llu %llu", &resident, &shared) != 2) return 0;  // NOLINT(cert-err34-c)
  return resident > shared ? resident - shared : 0;
}

std::uint64_t files_in(const Fd& folder) {
  struct statvfs status = {};
  if (::fstatvfs(folder.get(), &status) != 0 || status.f_files < status.f_ffree) return 0;
  return status.f_files - status.f_ffree;
}

}  // namespace

Result<Consumption> Consumption::of(const std::string& root) {
  Consumption watched;
  TRY_LET(watched.processes_, open_folder(root + "/proc"));
  TRY_LET(watched.work_, open_folder(root + kSandboxWork));
  TRY_LET(watched.scratch_, open_folder(root + "/tmp"));
  return watched;
}

std::uint64_t Consumption::memory_bytes() const {
  Fd own(::openat(processes_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return 0;
  const std::unique_ptr<DIR, CloseFolder> listing(::fdopendir(own.get()));
  if (!listing) return 0;
  (void)own.release();  // closedir closes it
  std::uint64_t pages = 0;
  while (const dirent* entry = ::readdir(listing.get()))  // NOLINT(concurrency-mt-unsafe)
    if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') pages += private_pages(processes_.get(), entry->d_name);
  return pages * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::optional<std::string> Consumption::excess(const Limits& limits) const {
  if (memory_bytes() > limits.memory_bytes) return memory_text(limits);
  for (const Fd* folder : {&work_, &scratch_})
    if (files_in(*folder) > kMaxFiles) return fmt::format("it made more than {} files", kMaxFiles);
  return {};
}

std::optional<std::string> limit_hit(const Limits& limits, const ExitStatus& status, std::string_view log, const Fd& work) {
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
