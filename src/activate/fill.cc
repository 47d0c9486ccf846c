#include "activate/fill.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <map>
#include <set>

#include "base/file.h"
#include "base/parallel.h"
#include "store/repository.h"

namespace vmcred::activate {
namespace {

constexpr std::size_t kTogether = 16;  // items that a thread takes in one go

/// The folder of a file in a generation: the values of one generator, which belong together.
std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/') + 1); }

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

/// How a file looks, but for its content.
struct Look {
  uid_t uid = 0;
  gid_t gid = 0;
  mode_t mode = 0400;
  std::optional<timespec> since = {};  ///< when this value came to this machine; none: now
};

Result<> write_value(const std::string& root, const std::string& name, const Look& look, const Secret& value) {
  const std::string path = join_path(root, name);
  const auto make = [&path] {
    return Fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  };
  Fd file = make();
  if (!file && errno == ENOENT) {  // the first one of its folder
    TRY(make_parents(root, name));
    file = make();
  }
  if (!file) return fail_errno("make '{}'", path);
  TRY(in(fmt::format("write '{}'", path), write_all(file, value.text())));
  if (look.since) {
    const timespec times[2] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, *look.since};
    if (::futimens(file.get(), times) != 0) return fail_errno("give '{}' its age", path);
  }
  if (::fchown(file.get(), look.uid, look.gid) != 0) return fail_errno("give '{}' its owner", path);
  if (::fchmod(file.get(), look.mode) != 0) return fail_errno("give '{}' its mode", path);
  return {};
}

/// What became of one item.
struct Outcome {
  std::optional<Error> unreadable = {};  ///< its value cannot be had: its own failure
  Result<> written = {};                 ///< it could be put in its place
  bool changed = true;                   ///< else it is as it was before
  ChangeKind change = ChangeKind::added;
};

/// Puts one item into the new generation, next to what the one before ("" when there is none) had in its place.
Outcome take_over(const std::string& root, const std::string& before, const Item& item) {
  const Result<Secret> value = item.value();
  if (!value) return {.unreadable = value.error()};
  Look look = {.uid = item.uid, .gid = item.gid, .mode = item.mode};
  Outcome outcome = {};
  struct stat status = {};
  const std::string old_path = before.empty() ? "" : join_path(before, item.path);
  if (!before.empty() && ::lstat(old_path.c_str(), &status) == 0) {
    // An old file that cannot be read is simply another one.
    const Result<Secret> old = read_secret(old_path, store::kMaxValueBytes);
    const bool same = old && equal_in_constant_time(old->bytes(), value->bytes());
    const bool same_look =
        status.st_uid == item.uid && status.st_gid == item.gid && (status.st_mode & 07777U) == item.mode;
    if (same) look.since = status.st_mtim;
    outcome.changed = !same || !same_look;
    outcome.change = same ? ChangeKind::owner : ChangeKind::content;
  }
  outcome.written = write_value(root, item.path, look, *value);
  return outcome;
}

/// The same file as in the generation before, with its owner, mode and age.
Result<SystemTime> keep(const std::string& root, const std::string& before, const std::string& path) {
  const std::string old_path = join_path(before, path);
  struct stat status = {};
  if (::lstat(old_path.c_str(), &status) != 0) return fail_errno("look at '{}'", old_path);
  TRY_LET(const Secret value, read_secret(old_path, store::kMaxValueBytes));
  const Look look = {
      .uid = status.st_uid, .gid = status.st_gid, .mode = status.st_mode & 07777U, .since = status.st_mtim};
  TRY(write_value(root, path, look, value));
  return SystemTime(std::chrono::seconds(status.st_mtim.tv_sec));
}

/// Of each generator that cannot be read as a whole: what the generation before had of it takes the place of what was
/// read.
Result<> keep_last_good(const std::string& root, const std::string& before, const std::vector<std::string>& old_files,
                        const std::map<std::string, const Item*>& by_path, const std::vector<Failed>& failed,
                        Published& published) {
  std::set<std::string> lost;    // this machine may not have them any more
  std::set<std::string> broken;  // folders
  for (const Failed& one : failed) {
    const Item& item = *by_path.at(one.path);
    const bool stays = !item.may_stay || item.may_stay();
    if (!stays) lost.insert(one.path);
    if (stays) broken.insert(folder_of(one.path));
  }
  std::map<std::string, std::vector<std::string>> kept;
  for (const std::string& path : old_files) {
    if (broken.contains(folder_of(path)) && by_path.contains(path) && !lost.contains(path))
      kept[folder_of(path)].push_back(path);
  }
  for (const auto& [folder, paths] : kept) {
    for (const auto& [path, item] : by_path) {
      if (folder_of(path) == folder && exists(join_path(root, path))) TRY(wipe_file(join_path(root, path)));
    }
    for (const std::string& path : paths) {
      TRY_LET(const SystemTime since, keep(root, before, path));
      published.kept.push_back({path, since});
    }
    std::erase_if(published.changes, [&](const Change& change) { return folder_of(change.path) == folder; });
  }
  return {};
}

}  // namespace

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

Result<> fill(const std::string& root, const std::string& before, const std::vector<Item>& items,
              Published& published) {
  std::map<std::string, const Item*> by_path;
  for (const Item& item : items) {
    if (!stays_inside(item.path)) return fail(Errc::usage, "'{}' leaves the generation", item.path);
    if (!by_path.emplace(item.path, &item).second) return fail(Errc::usage, "'{}' is given twice", item.path);
  }
  std::vector<Outcome> outcomes(items.size());
  in_ranges(
      items.size(),
      [&](std::size_t begin, std::size_t end) {
        for (std::size_t i = begin; i < end; ++i) outcomes[i] = take_over(root, before, items[i]);
      },
      kTogether);
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (outcomes[i].unreadable) {
      published.failed.push_back({items[i].path, *std::move(outcomes[i].unreadable)});
      continue;
    }
    TRY(std::move(outcomes[i].written));
    if (outcomes[i].changed) published.changes.push_back({items[i].path, outcomes[i].change});
  }
  std::vector<std::string> old_files;
  if (!before.empty()) TRY(collect_files(before, "", old_files));
  TRY(keep_last_good(root, before, old_files, by_path, published.failed, published));
  for (const std::string& path : old_files) {
    if (!exists(join_path(root, path))) published.changes.push_back({path, ChangeKind::removed});
  }
  std::vector<std::string> new_files;
  TRY(collect_files(root, "", new_files));
  published.files = new_files.size();
  return {};
}

}  // namespace vmcred::activate
