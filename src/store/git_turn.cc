#include "store/git_turn.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "base/file.h"

namespace vmcred::store {
namespace {

constexpr const char* kMark = "vmcred.git";
constexpr std::size_t kMaxMark = 64UL * 1024;
constexpr int kPatience = 5000;  // milliseconds
constexpr int kLookEvery = 20;

/// The lock files that `git add`, `git rm` and `git commit` take, below the git folder.
std::vector<std::string> lock_files(const std::string& folder) {
  std::vector<std::string> names = {"index.lock", "HEAD.lock"};
  constexpr std::string_view kBranch = "ref: ";
  const std::string head = read_file(join_path(folder, "HEAD"), 4096).value_or("");
  if (head.starts_with(kBranch))
    names.push_back(head.substr(kBranch.size(), head.find('\n') - kBranch.size()) + ".lock");
  return names;
}

/// The branches of a work tree of its own are in the repository's git folder.
std::string place_of(const std::string& folder, const std::string& name) {
  const std::string common = read_file(join_path(folder, "commondir"), 4096).value_or("");
  if (common.empty() || !name.starts_with("refs/")) return join_path(folder, name);
  return join_path(join_path(folder, common.substr(0, common.find('\n'))), name);
}

bool below(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

/// Whether a git is at work in one of these folders, somebody's commit with an open editor among them.
bool git_runs_in(const std::vector<std::string>& folders) {
  const auto processes = list_folder("/proc");
  if (!processes) return true;
  return std::ranges::any_of(*processes, [&](const std::string& number) {
    if (number.find_first_not_of("0123456789") != std::string::npos) return false;
    if (read_file("/proc/" + number + "/comm", 64).value_or("") != "git\n") return false;
    std::array<char, 4096> place = {};
    const ssize_t size = ::readlink(("/proc/" + number + "/cwd").c_str(), place.data(), place.size());
    if (size <= 0) return errno != ENOENT;  // somebody else's git, of which nothing is said
    const std::string_view path(place.data(), static_cast<std::size_t>(size));
    return std::ranges::any_of(folders, [&](const std::string& folder) { return below(path, folder); });
  });
}

bool older(const timespec& a, const timespec& b) {
  return a.tv_sec != b.tv_sec ? a.tv_sec < b.tv_sec : a.tv_nsec < b.tv_nsec;
}

void remove_locks_of(const Fd& mark, const std::string& folder, const std::string& root) {
  const std::string list = read_all(mark, kMark, kMaxMark).value_or("");
  struct stat marked = {};
  if (list.empty() || ::fstat(mark.get(), &marked) != 0 || git_runs_in({folder, root})) return;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = std::min(list.find('\n', begin), list.size());
    const std::string path = place_of(folder, list.substr(begin, end - begin));
    begin = end + 1;
    struct stat status = {};
    if (!path.ends_with(".lock") || ::lstat(path.c_str(), &status) != 0) continue;
    if (S_ISREG(status.st_mode) && status.st_uid == ::geteuid() && !older(status.st_mtim, marked.st_mtim))
      (void)::unlink(path.c_str());
  }
}

}  // namespace

Result<GitTurn> GitTurn::take(const std::string& folder, const std::string& root) {
  const std::string path = join_path(folder, kMark);
  Fd mark(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!mark) return fail_errno("mark that git works in '{}'", folder);
  for (int waited = 0; ::flock(mark.get(), LOCK_EX | LOCK_NB) != 0; waited += kLookEvery) {
    if (errno != EWOULDBLOCK && errno != EINTR) return fail_errno("mark that git works in '{}'", folder);
    if (waited >= kPatience) return GitTurn(Fd());
    ::poll(nullptr, 0, kLookEvery);
  }
  remove_locks_of(mark, folder, root);
  std::string list;
  for (const std::string& name : lock_files(folder))
    if (!exists(place_of(folder, name))) list += name + "\n";
  if (::ftruncate(mark.get(), 0) != 0 || ::lseek(mark.get(), 0, SEEK_SET) != 0) return fail_errno("write '{}'", path);
  TRY(in(fmt::format("write '{}'", path), write_all(mark, list)));
  return GitTurn(std::move(mark));
}

GitTurn::~GitTurn() {
  if (mark_) (void)!::ftruncate(mark_.get(), 0);
}

}  // namespace vmcred::store
