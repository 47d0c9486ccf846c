#include "base/leak_scan.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <set>

#include "base/fd.h"
#include "base/file.h"

namespace vmcred {
namespace {

constexpr std::size_t kChunk = 1UL << 20;
constexpr std::size_t kOverlap = 64;  ///< of two chunks, more than any window; a multiple of eight
constexpr std::size_t kMostNamed = 100;
constexpr int kDeepest = 64;

/// File systems without files: reading there may have effects (/proc/kmsg) and never ends well.
bool is_pseudo(const Fd& fd) {
  static constexpr std::array<unsigned long, 9> kMagic = {
      0x9fa0,      // proc
      0x62656572,  // sysfs
      0x27e0eb,    // cgroup
      0x63677270,  // cgroup2
      0x74726163,  // tracefs
      0x64626720,  // debugfs
      0x6165676c,  // pstore
      0xcafe4a11,  // bpf
      0x73636673,  // securityfs
  };
  struct statfs system = {};
  return ::fstatfs(fd.get(), &system) == 0 &&
         std::ranges::find(kMagic, static_cast<unsigned long>(system.f_type)) != kMagic.end();
}

/// Gone meanwhile, or (a process) with nothing to read: not worth a word.
bool vanished(int error) { return error == ENOENT || error == ESRCH || error == ENXIO || error == ENODEV; }

class Scan {
 public:
  Scan(const LeakPatterns& patterns, const LeakPlaces& places) : patterns_(patterns), places_(places) {}

  LeakReport run() {
    if (!places_.proc.empty()) processes();
    for (const std::string& folder : places_.folders) walk(AT_FDCWD, folder, folder, 0);
    return std::move(report_);
  }

 private:
  void processes() {
    const auto entries = list_folder(places_.proc);
    if (!entries) return unreadable(places_.proc);
    for (const std::string& entry : *entries) {
      if (entry.find_first_not_of("0123456789") != std::string::npos) continue;
      const std::string process = join_path(places_.proc, entry);
      const std::string command = read_file(process + "/comm", 256).value_or("?\n");
      const std::string shown = " (" + command.substr(0, command.find('\n')) + ")";
      look_into(AT_FDCWD, process + "/cmdline", process + "/cmdline" + shown, LeakKind::argv);
      look_into(AT_FDCWD, process + "/environ", process + "/environ" + shown, LeakKind::environ);
      if (places_.open_files) open_files(process, shown);
    }
  }

  void open_files(const std::string& process, const std::string& shown) {
    const std::string folder = process + "/fd";
    const Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return failed(folder + shown);
    const auto entries = list_folder(folder);
    if (!entries) return failed(folder + shown);
    for (const std::string& entry : *entries) {
      struct stat status = {};
      if (::fstatat(fd.get(), entry.c_str(), &status, 0) != 0) {
        if (vanished(errno)) continue;
        return unreadable(folder + shown);  // one word for the process, not one for each of its files
      }
      if (!S_ISREG(status.st_mode) || !first_visit(status)) continue;
      const std::string target = link_target(fd.get(), entry);
      if (skipped(target)) continue;
      look_into(fd.get(), entry, folder + "/" + entry + " -> " + target + shown, LeakKind::file);
    }
  }

  void walk(int parent, const std::string& name, const std::string& path, int depth) {
    if (skipped(path) || depth > kDeepest) return;
    struct stat status = {};
    if (::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return failed(path);
    if (S_ISREG(status.st_mode)) {
      if (first_visit(status)) look_into(parent, name, path, LeakKind::file);
      return;
    }
    if (!S_ISDIR(status.st_mode)) return;
    Fd folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!folder) return failed(path);
    if (is_pseudo(folder)) return;
    const int raw = folder.get();
    std::vector<std::string> names;
    DIR* const listing = ::fdopendir(folder.release());
    if (listing == nullptr) {
      ::close(raw);
      return unreadable(path);
    }
    while (const dirent* entry = ::readdir(listing)) {  // NOLINT(concurrency-mt-unsafe)
      const std::string_view found = entry->d_name;
      if (found != "." && found != "..") names.emplace_back(found);
    }
    std::ranges::sort(names);
    for (const std::string& child : names) walk(raw, child, join_path(path, child), depth + 1);
    ::closedir(listing);
  }

  void look_into(int parent, const std::string& name, const std::string& place, LeakKind kind) {
    const Fd fd(::openat(parent, name.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd) return failed(place);
    if (kind == LeakKind::file && is_pseudo(fd)) return;
    std::vector<std::uint8_t>& chunk = chunk_;
    chunk.resize(kOverlap + kChunk);
    std::size_t kept = 0;
    std::uint64_t before = 0;  // bytes in front of the chunk
    off_t at = 0;
    while (true) {
      // Holes hold nothing; where the file system cannot tell (or it is no such file) we read on.
      const off_t data = kind == LeakKind::file ? ::lseek(fd.get(), at, SEEK_DATA) : -1;
      if (data < 0 && kind == LeakKind::file && errno == ENXIO) break;
      if (data > at) {
        at = data;
        kept = 0;
        before = static_cast<std::uint64_t>(data);
      }
      const ssize_t n = ::read(fd.get(), chunk.data() + kept, kChunk);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return failed(place);
      if (n == 0) break;
      at += n;
      report_.bytes += static_cast<std::uint64_t>(n);
      const std::size_t filled = kept + static_cast<std::size_t>(n);
      LeakPatterns::Match match;
      if (patterns_.find({chunk.data(), filled}, &match)) {
        found(kind, place, match, before + match.offset);
        wipe(chunk);
        break;
      }
      kept = std::min(filled, kOverlap);
      std::copy(chunk.begin() + static_cast<std::ptrdiff_t>(filled - kept),
                chunk.begin() + static_cast<std::ptrdiff_t>(filled), chunk.begin());
      before += filled - kept;
    }
    ++report_.searched;
  }

  void found(LeakKind kind, const std::string& place, const LeakPatterns::Match& match, std::uint64_t offset) {
    ++(kind == LeakKind::argv ? report_.argv : kind == LeakKind::environ ? report_.environ : report_.files);
    if (report_.leaks.size() >= kMostNamed) return;
    report_.leaks.push_back({kind, place, std::string(match.name), std::string(match.encoding), offset});
  }

  void failed(const std::string& place) {
    if (!vanished(errno)) unreadable(place);
  }
  void unreadable(const std::string& place) {
    ++report_.unreadable;
    if (report_.unreadable_places.size() < kMostNamed) report_.unreadable_places.push_back(place);
  }

  bool first_visit(const struct stat& status) { return visited_.emplace(status.st_dev, status.st_ino).second; }

  [[nodiscard]] bool skipped(std::string_view path) const {
    return std::ranges::any_of(places_.skip, [path](const std::string& prefix) {
      return path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
    });
  }

  static std::string link_target(int folder, const std::string& name) {
    std::string target(4096, '\0');
    const ssize_t n = ::readlinkat(folder, name.c_str(), target.data(), target.size());
    target.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return target;
  }

  const LeakPatterns& patterns_;
  const LeakPlaces& places_;
  LeakReport report_ = {};
  std::set<std::pair<dev_t, ino_t>> visited_ = {};
  std::vector<std::uint8_t> chunk_ = {};
};

}  // namespace

LeakReport scan_for_leaks(const LeakPatterns& patterns, const LeakPlaces& places) {
  return Scan(patterns, places).run();
}

}  // namespace vmcred
