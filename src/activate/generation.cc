#include "activate/generation.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "activate/memory_mount.h"
#include "base/file.h"
#include "base/public_folders.h"
#include "base/parallel.h"

namespace vmcred::activate {
namespace {

constexpr mode_t kFolderMode = 0751;  // who knows a name may go to it, only root lists names
constexpr std::size_t kMaxValue = 1024 * 1024;
constexpr std::size_t kTogether = 16;  // items that a thread takes in one go

std::optional<std::uint64_t> generation_number(std::string_view name) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || end != name.data() + name.size() || number == 0) return {};
  return number;
}

Result<std::uint64_t> next_number(const Places& places) {
  TRY_LET(const auto names, list_folder(places.generations));
  std::uint64_t last = 0;
  for (const std::string& name : names) last = std::max(last, generation_number(name).value_or(0));
  return last + 1;
}

/// Waits for it. A folder needs no file of its own for that.
Result<Fd> lock_folder(const std::string& path) {
  TRY_LET(Fd folder, open_folder(path));
  if (::flock(folder.get(), LOCK_EX) != 0) return fail_errno("lock '{}'", path);
  return folder;
}

/// Makes the folders of `path` (all but its last part) below `root`.
Result<> make_parents(const std::string& root, const std::string& path) {
  for (std::size_t slash = path.find('/'); slash != std::string::npos; slash = path.find('/', slash + 1)) {
    const std::string folder = join_path(root, path.substr(0, slash));
    if (::mkdir(folder.c_str(), 0700) != 0) {
      if (errno == EEXIST) continue;
      return fail_errno("make '{}'", folder);
    }
    if (::chmod(folder.c_str(), kFolderMode) != 0) return fail_errno("set the mode of '{}'", folder);
  }
  return {};
}

bool stays_inside(const std::string& path) {
  const std::string framed = "/" + path + "/";
  return !path.empty() && !framed.contains("//") && !framed.contains("/./") && !framed.contains("/../");
}

Result<> write_item(const std::string& root, const Item& item, const Secret& value) {
  const std::string path = join_path(root, item.path);
  const auto make = [&path] { return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)); };
  Fd file = make();
  if (!file && errno == ENOENT) {  // the first one of its folder
    TRY(make_parents(root, item.path));
    file = make();
  }
  if (!file) return fail_errno("make '{}'", path);
  TRY(in(fmt::format("write '{}'", path), write_all(file, value.text())));
  if (::fchown(file.get(), item.uid, item.gid) != 0) return fail_errno("give '{}' its owner", path);
  if (::fchmod(file.get(), item.mode) != 0) return fail_errno("give '{}' its mode", path);
  return {};
}

/// What a file of the generation before looked like next to its successor.
Result<std::optional<ChangeKind>> compare(const std::string& before, const Item& item, const Secret& value) {
  struct stat status = {};
  if (::lstat(before.c_str(), &status) != 0) return ChangeKind::added;
  TRY_LET(const Secret old, read_secret(before, kMaxValue));
  if (!equal_in_constant_time(old.bytes(), value.bytes())) return ChangeKind::content;
  if (status.st_uid != item.uid || status.st_gid != item.gid || (status.st_mode & 07777U) != item.mode) {
    return ChangeKind::owner;
  }
  return std::nullopt;
}

/// All files below `root`, relative.
Result<> collect_files(const std::string& root, const std::string& below, std::vector<std::string>& files) {
  TRY_LET(const auto names, list_folder(join_path(root, below)));
  for (const std::string& name : names) {
    const std::string path = below.empty() ? name : join_path(below, name);
    struct stat status = {};
    if (::lstat(join_path(root, path).c_str(), &status) != 0) return fail_errno("look at '{}'", path);
    if (S_ISDIR(status.st_mode)) {
      TRY(collect_files(root, path, files));
    } else {
      files.push_back(path);
    }
  }
  return {};
}

Result<> switch_link(const Places& places, const std::string& target) {
  const std::string parent = places.link.substr(0, places.link.rfind('/'));
  TRY(make_public_folders(parent));
  const std::string temporary = places.link + ".new";
  (void)::unlink(temporary.c_str());  // of a run that was killed here
  if (::symlink(target.c_str(), temporary.c_str()) != 0) return fail_errno("make the link '{}'", temporary);
  if (::rename(temporary.c_str(), places.link.c_str()) != 0) return fail_errno("move the link '{}'", places.link);
  return {};
}

/// Zeroes a file that nobody else has open. A lease on an unlinked file is granted only then.
void wipe_file(const Fd& file) {
  static constexpr std::array<char, 64 * 1024> kZeros = {};
  struct stat status = {};
  if (::fcntl(file.get(), F_SETLEASE, F_WRLCK) != 0 || ::fstat(file.get(), &status) != 0) return;
  for (off_t done = 0; done < status.st_size;) {
    const auto part = std::min<std::size_t>(kZeros.size(), static_cast<std::size_t>(status.st_size - done));
    const ssize_t n = ::pwrite(file.get(), kZeros.data(), part, done);
    if (n <= 0) return;
    done += n;
  }
}

/// Removes every generation but `keep`: the one before, and what a killed run left.
Result<> remove_others(const Places& places, std::uint64_t keep) {
  TRY_LET(const auto names, list_folder(places.generations));
  for (const std::string& name : names) {
    const auto number = generation_number(name);
    if (number && *number != keep) TRY(wipe_tree(join_path(places.generations, name)));
  }
  return {};
}

/// What became of one item.
struct Outcome {
  std::optional<Error> unreadable = {};  ///< its value cannot be had: its own failure
  Result<std::optional<ChangeKind>> change = std::optional<ChangeKind>();
};

/// Puts one item into the new generation and compares it with the one before ("" when there is none).
Outcome take_over(const std::string& root, const std::string& before, const Item& item) {
  const Result<Secret> value = item.value();
  if (!value) return {.unreadable = value.error()};
  if (Result<> written = write_item(root, item, *value); !written) return {.change = Failure(std::move(written).error())};
  if (before.empty()) return {.change = ChangeKind::added};
  return {.change = compare(join_path(before, item.path), item, *value)};
}

/// Fills the new generation's folder, on all cores, and says how it differs from the one before ("" when there is none).
Result<> fill(const std::string& root, const std::string& before, const std::vector<Item>& items, Published& published) {
  std::set<std::string> seen;
  for (const Item& item : items) {
    if (!stays_inside(item.path)) return fail(Errc::usage, "'{}' leaves the generation", item.path);
    if (!seen.insert(item.path).second) return fail(Errc::usage, "'{}' is given twice", item.path);
  }
  std::vector<Outcome> outcomes(items.size());
  in_ranges(items.size(), [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) outcomes[i] = take_over(root, before, items[i]);
  }, kTogether);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (outcomes[i].unreadable) {
      published.failed.push_back({items[i].path, *std::move(outcomes[i].unreadable)});
      continue;
    }
    TRY_LET(const auto change, std::move(outcomes[i].change));
    if (change) published.changes.push_back({items[i].path, *change});
  }
  if (before.empty()) return {};
  std::vector<std::string> old_files;
  TRY(collect_files(before, "", old_files));
  for (const std::string& path : old_files) {
    if (::access(join_path(root, path).c_str(), F_OK) != 0) published.changes.push_back({path, ChangeKind::removed});
  }
  return {};
}

}  // namespace

std::string_view change_name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::added: return "added";
    case ChangeKind::content: return "changed";
    case ChangeKind::owner: return "owner or mode changed";
    case ChangeKind::removed: break;
  }
  return "removed";
}

Result<std::optional<std::uint64_t>> present_generation(const Places& places) {
  std::array<char, 4096> target = {};
  const ssize_t size = ::readlink(places.link.c_str(), target.data(), target.size());
  if (size < 0 && errno == ENOENT) return std::nullopt;
  if (size < 0) return fail_errno("read the link '{}'", places.link);
  const std::string_view text(target.data(), static_cast<std::size_t>(size));
  const auto number = generation_number(text.substr(text.rfind('/') + 1));
  // After a reboot without a clean /run the link may point to nothing.
  if (!number || !is_folder(join_path(places.generations, std::to_string(*number)))) return std::nullopt;
  return number;
}

Result<Fd> take_turn(const Places& places) { return lock_folder(places.link.substr(0, places.link.rfind('/'))); }

Result<> wipe_tree(const std::string& path) {
  std::vector<std::string> files;
  TRY(collect_files(path, "", files));
  for (const std::string& name : files) {
    const std::string file_path = join_path(path, name);
    const Fd file(::open(file_path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (::unlink(file_path.c_str()) != 0) return fail_errno("remove '{}'", file_path);
    if (file) wipe_file(file);
  }
  return remove_tree(path);
}

Result<Published> publish_generation(const Places& places, const std::vector<Item>& items) {
  if (places.mount) {
    TRY(mount_memory(places.generations));
  } else {
    TRY(make_folders(places.generations, kFolderMode));
  }
  TRY_LET(const Fd lock, lock_folder(places.generations));
  TRY_LET(const auto present, present_generation(places));
  TRY_LET(const std::uint64_t number, next_number(places));
  Published published = {.number = number, .first = !present};
  const std::string before = present ? join_path(places.generations, std::to_string(*present)) : std::string();
  const std::string root = join_path(places.generations, std::to_string(number));
  if (::mkdir(root.c_str(), 0700) != 0) return fail_errno("make '{}'", root);

  // Until its mode is opened nobody but root can reach into the new folder.
  auto filled = fill(root, before, items, published);
  if (!filled || (present && published.changes.empty())) {
    TRY(wipe_tree(root));
    if (!filled) return std::unexpected(std::move(filled).error());
    published.number = *present;
    return published;
  }
  if (::chmod(root.c_str(), kFolderMode) != 0) return fail_errno("open '{}'", root);
  TRY(switch_link(places, root));
  published.switched = true;
  // From here on new readers see the new generation only.
  TRY(remove_others(places, number));
  return published;
}

}  // namespace vmcred::activate
