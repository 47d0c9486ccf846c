#include "activate/generation.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "activate/fill.h"
#include "activate/memory_mount.h"
#include "base/file.h"
#include "base/public_folders.h"

namespace vmcred::activate {
namespace {

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
void zero_file(const Fd& file) {
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

/// Removes every generation but `keep`.
Result<> remove_others(const Places& places, std::uint64_t keep) {
  TRY_LET(const auto names, list_folder(places.generations));
  for (const std::string& name : names) {
    const auto number = generation_number(name);
    if (number && *number != keep) TRY(wipe_tree(join_path(places.generations, name)));
  }
  return {};
}

}  // namespace

std::string_view change_name(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::added:
      return "added";
    case ChangeKind::content:
      return "changed";
    case ChangeKind::owner:
      return "owner or mode changed";
    case ChangeKind::removed:
      break;
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

Result<> wipe_file(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
  if (::unlink(path.c_str()) != 0) return fail_errno("remove '{}'", path);
  if (file) zero_file(file);
  return {};
}

Result<> wipe_tree(const std::string& path) {
  std::vector<std::string> files;
  TRY(collect_files(path, "", files));
  for (const std::string& name : files) TRY(wipe_file(join_path(path, name)));
  return remove_tree(path);
}

Result<> remove_leftovers(const Places& places) {
  if (!is_folder(places.generations)) return {};
  TRY_LET(const Fd lock, lock_folder(places.generations));
  TRY_LET(const auto present, present_generation(places));
  return remove_others(places, present.value_or(0));
}

Result<> make_places(const Places& places) {
  if (places.mount) {
    TRY(mount_memory(places.generations));
  } else {
    TRY(make_folders(places.generations, kFolderMode));
  }
  return make_folders(places.link.substr(0, places.link.rfind('/')), 0755);
}

Result<Published> publish_generation(const Places& places, const std::vector<Item>& items) {
  TRY(make_places(places));
  TRY_LET(const Fd lock, lock_folder(places.generations));
  TRY_LET(const auto present, present_generation(places));
  TRY_LET(const std::uint64_t number, next_number(places));
  TRY(remove_others(places, present.value_or(0)));
  Published published = {.number = number, .first = !present};
  const std::string before = present ? join_path(places.generations, std::to_string(*present)) : std::string();
  const std::string root = join_path(places.generations, std::to_string(number));
  if (::mkdir(root.c_str(), 0700) != 0) return fail_errno("make '{}'", root);

  // Until its mode is opened nobody but root can reach into the new folder.
  auto filled = fill(root, before, items, published);
  const bool nothing = !items.empty() && published.files == 0;
  if (!filled || (present ? published.changes.empty() : nothing)) {
    TRY(wipe_tree(root));
    if (!filled) return std::unexpected(std::move(filled).error());
    published.number = present.value_or(0);
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
