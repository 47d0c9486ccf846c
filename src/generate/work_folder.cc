#include "generate/work_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <memory>

#include "base/file.h"

namespace vmcred::generate {
namespace {

/// This thread's files belong to another user while it lives: a tmpfs of a user namespace knows only that one.
class FilesAs {
 public:
  explicit FilesAs(std::optional<uid_t> owner) : active_(owner.has_value()) {
    if (!active_) return;
    group_ = static_cast<gid_t>(::setfsgid(*owner));
    user_ = static_cast<uid_t>(::setfsuid(*owner));
  }
  ~FilesAs() {
    if (!active_) return;
    ::setfsuid(user_);
    ::setfsgid(group_);
  }
  FilesAs(const FilesAs&) = delete;
  FilesAs& operator=(const FilesAs&) = delete;

 private:
  bool active_;
  uid_t user_ = 0;
  gid_t group_ = 0;
};

Result<> make_folder_at(const Fd& folder, const std::string& path) {
  if (::mkdirat(folder.get(), path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return fail_errno("make '{}' for the script", path);
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

Result<std::vector<std::string>> names_in(const Fd& folder) {
  Fd own(::openat(folder.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return fail_errno("read the script's output folder");
  const std::unique_ptr<DIR, CloseFolder> listing(::fdopendir(own.get()));
  if (!listing) return fail_errno("read the script's output folder");
  (void)own.release();  // closedir closes it
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(listing.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

/// A regular file, looked at before it is opened; anything else only looked at. Never through its name twice.
struct Found {
  struct stat status = {};
  Fd file = Fd();  ///< empty: not regular, or cannot be read
};

std::optional<Found> find(const Fd& folder, const std::string& name) {
  const Fd place(::openat(folder.get(), name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
  Found found;
  if (!place || ::fstat(place.get(), &found.status) != 0) return {};
  if (!S_ISREG(found.status.st_mode)) return found;
  const std::string path = fmt::format("/proc/self/fd/{}", place.get());
  (void)!::chmod(path.c_str(), 0600);  // the script may have taken the right to read from itself
  found.file = Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  return found;
}

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "is a link";
  if (S_ISDIR(mode)) return "is a folder";
  if (S_ISFIFO(mode)) return "is a fifo";
  if (S_ISSOCK(mode)) return "is a socket";
  return "is a device";
}

}  // namespace

Result<> fill_work_folder(const Fd& folder, const Job& job, std::optional<uid_t> owner) {
  const FilesAs files(owner);
  for (const char* name : {"in", "out", "prompts"}) TRY(make_folder_at(folder, name));
  for (const InputFile& input : job.inputs) {
    for (std::size_t slash = input.path.find('/'); slash != std::string::npos; slash = input.path.find('/', slash + 1))
      TRY(make_folder_at(folder, input.path.substr(0, slash)));
    const Fd file(
        ::openat(folder.get(), input.path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!file) return fail_errno("make '{}' for the script", input.path);
    TRY(in(fmt::format("write '{}' for the script", input.path), write_all(file, text_of(input.value))));
  }
  return {};
}

Result<Taken> take_outputs(const Fd& folder, const Job& job) {
  const auto bad = [](std::string file, std::string reason) {
    return Taken{.made = {}, .bad = BadOutput{.file = std::move(file), .reason = std::move(reason)}};
  };
  const Fd out(::openat(folder.get(), "out", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!out) return bad("$out", "is gone");
  Taken taken;
  for (const std::string& name : job.outputs) {
    const std::optional<Found> found = find(out, name);
    if (!found) return bad(name, "was not made");
    const auto& [status, file] = *found;
    if (!S_ISREG(status.st_mode)) return bad(name, kind_of(status.st_mode));
    if (!file) return bad(name, "cannot be read");
    if (static_cast<std::uint64_t>(status.st_size) > job.max_output_bytes)
      return bad(name, fmt::format("has {} bytes; {} is the most", status.st_size, job.max_output_bytes));
    TRY_LET(Secret value, read_secret(file, name, job.max_output_bytes));
    taken.made.files.emplace(name, std::move(value));
  }
  TRY_LET(const std::vector<std::string> names, names_in(out));
  for (const std::string& name : names)
    if (std::ranges::find(job.outputs, name) == job.outputs.end()) taken.made.undeclared.push_back(name);
  return taken;
}

std::vector<Secret> leftovers(const Fd& folder, const Job& job) {
  constexpr std::size_t kMost = 64;
  std::vector<Secret> values;
  const Fd out(::openat(folder.get(), "out", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!out) return values;
  const Result<std::vector<std::string>> names = names_in(out);
  if (!names) return values;
  for (const std::string& name : *names) {
    if (values.size() == kMost) break;
    const std::optional<Found> found = find(out, name);
    if (!found || !found->file) continue;
    if (Result<Secret> value = read_secret(found->file, name, job.max_output_bytes))
      values.push_back(*std::move(value));
  }
  return values;
}

bool is_full(const Fd& folder) {
  struct statvfs status = {};
  return ::fstatvfs(folder.get(), &status) == 0 && status.f_blocks > 0 && status.f_bavail == 0;
}

}  // namespace vmcred::generate
