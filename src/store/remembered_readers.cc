#include "store/remembered_readers.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "base/file.h"
#include "base/text.h"

namespace vmcred::store {
namespace {

// The file: a first line; lines "=<TAB>aTEXT<TAB>uNAME…" with what secrets have in common, each after its kind's
// letter; lines "NUMBER<TAB>STAMP<TAB>FOLDER" that name the NUMBERth of those.
constexpr std::string_view kFirstLine = "vmcred readers 1\n";
constexpr std::size_t kMaxFileBytes = 64UL * 1024 * 1024;
constexpr std::chrono::seconds kSettled{2};  // the coarsest times that file systems keep
constexpr std::size_t kUsualStamp = 160;
constexpr std::size_t kUsualLine = 128;

bool take_number(std::string_view text, std::size_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

bool fits_a_line(std::string_view text) { return text.find_first_of("\t\n") == std::string_view::npos; }

/// The letter of a field and where it belongs.
std::vector<std::string>* names_of(char letter, Links& links) {
  return letter == 'u' ? &links.users : letter == 'm' ? &links.machines : letter == 'g' ? &links.groups : nullptr;
}

std::optional<SecretReaders> read_common(std::string_view fields) {
  SecretReaders readers;
  while (!fields.empty()) {
    const std::string_view field = take_until(fields, '\t');
    if (field.empty()) return {};
    const std::string text(field.substr(1));
    if (field.front() == 'a' || field.front() == 'p') {
      readers.recipients.push_back({.type = field.front() == 'a' ? "age" : "pgp", .text = text});
    } else if (std::vector<std::string>* const names = names_of(field.front(), readers.links)) {
      names->push_back(text);
    } else {
      return {};
    }
  }
  return readers;
}

/// "" when some text does not fit.
std::string print_common(const SecretReaders& readers) {
  std::string line = "=";
  bool fits = true;
  const auto add = [&](char letter, std::string_view text) {
    fits = fits && fits_a_line(text);
    line += '\t';
    line += letter;
    line += text;
  };
  for (const PublicKey& key : readers.recipients) add(key.type == "age" ? 'a' : 'p', key.text);
  for (const std::string& name : readers.links.users) add('u', name);
  for (const std::string& name : readers.links.machines) add('m', name);
  for (const std::string& name : readers.links.groups) add('g', name);
  return fits ? line + "\n" : std::string();
}

/// Whether this kernel gives each file its change time. Where it does not (an image, whose maker did; a network; an
/// overlay of such), another project may have the same inodes and times.
bool keeps_change_times(const Fd& folder) {
  constexpr std::uint32_t kXfs = 0x58465342;  // as statfs(2) lists them; linux/magic.h has the others
  constexpr std::uint32_t kZfs = 0x2fc12fc1;
  constexpr std::uint32_t kBcachefs = 0xca451a4e;
  constexpr std::array<std::uint32_t, 7> kKeeping = {
      EXT4_SUPER_MAGIC, BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, TMPFS_MAGIC, kXfs, kZfs, kBcachefs};
  struct statfs found = {};
  if (::fstatfs(folder.get(), &found) != 0 || (static_cast<unsigned long>(found.f_flags) & ST_RDONLY) != 0)
    return false;
  return std::ranges::find(kKeeping, static_cast<std::uint32_t>(found.f_type)) != kKeeping.end();
}

/// Whether nobody but this user and root says what `folder` is (or is to be): it may be the home of somebody else, as
/// under sudo.
bool is_of_user(std::string folder) {
  for (; folder.starts_with('/'); folder.resize(folder.rfind('/'))) {
    struct stat found = {};
    const bool stands = ::lstat(folder.c_str(), &found) == 0;
    if (stands ? found.st_uid != 0 && found.st_uid != ::geteuid() : errno != ENOENT) return false;
  }
  return true;
}

/// The file's text when it is the user's own; "" otherwise.
std::string own_text(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat found = {};
  constexpr mode_t kOthersWrite = 022;
  if (!file || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) return {};
  if (found.st_uid != ::geteuid() || (found.st_mode & kOthersWrite) != 0) return {};
  return read_all(file, path, kMaxFileBytes).value_or("");
}

}  // namespace

RememberedReaders RememberedReaders::open(const std::string& folder, const Fd& root, SystemTime now) {
  RememberedReaders memory;
  memory.before_ = now - kSettled;
  struct stat project = {};
  if (folder.empty() || !keeps_change_times(root) || !is_of_user(folder) || ::fstat(root.get(), &project) != 0)
    return memory;
  memory.device_ = project.st_dev;
  memory.path_ = join_path(folder, fmt::format("{}-{}", project.st_dev, project.st_ino));
  memory.text_ = own_text(memory.path_);
  if (!memory.parse()) {
    memory.known_.clear();
    memory.entries_.clear();
  }
  return memory;
}

bool RememberedReaders::parse() {
  std::string_view rest = text_;
  if (!rest.starts_with(kFirstLine) || !rest.ends_with('\n')) return false;
  rest.remove_prefix(kFirstLine.size());
  entries_.reserve(rest.size() / kUsualLine);
  while (!rest.empty()) {
    std::string_view line = take_until(rest, '\n');
    const std::string_view first = take_until(line, '\t');
    if (first == "=") {
      std::optional<SecretReaders> readers = read_common(line);
      if (!readers) return false;
      known_.push_back(*std::move(readers));
      continue;
    }
    Entry entry;
    if (!take_number(first, entry.readers) || entry.readers >= known_.size()) return false;
    entry.stamp = take_until(line, '\t');
    if (entry.stamp.empty() || line.empty()) return false;
    entries_.emplace(line, entry);
  }
  return true;
}

std::string RememberedReaders::stamp(const GeneratorFolder& generator, const std::string& file) const {
  std::string text;
  text.reserve(kUsualStamp);
  const auto add = [&](const FileState& state) {
    if (state.device != device_ || state.changed >= before_) return false;
    const auto nanoseconds = static_cast<std::int64_t>(state.changed.time_since_epoch().count());
    for (const fmt::format_int& number : {fmt::format_int(state.inode), fmt::format_int(nanoseconds)}) {
      text.append(number.data(), number.size());
      text += '.';
    }
    return true;
  };
  const std::optional<FileState> secret = generator.looked_at(file);
  if (!secret || !add(*secret)) return {};
  for (const char* const part : {"/users", "/machines", "/groups"}) {
    struct stat found = {};
    if (::fstatat(generator.fd().get(), (file + part).c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0) {
      if (!S_ISDIR(found.st_mode) || !add(FileState::of(found))) return {};
    } else if (errno == ENOENT) {
      text += '-';
    } else {
      return {};
    }
  }
  return text;
}

const SecretReaders* RememberedReaders::find(std::string_view folder, std::string_view stamp) {
  const auto entry = entries_.find(folder);
  if (entry == entries_.end() || entry->second.stamp != stamp) return nullptr;
  entry->second.met = true;
  return &known_[entry->second.readers];
}

void RememberedReaders::note(std::string_view folder, std::string_view stamp, const SecretReaders& readers) {
  if (stamp.empty() || !fits_a_line(folder)) return;
  const std::scoped_lock hold(*mutex_);
  noted_.push_back({.folder = std::string(folder), .stamp = std::string(stamp), .readers = readers});
}

Result<> RememberedReaders::save(bool whole) const {
  if (noted_.empty() || path_.empty()) return {};
  std::string common(kFirstLine);
  std::string lines;
  std::map<std::string, std::size_t> numbers;
  const auto add = [&](std::string_view folder, std::string_view stamp, const SecretReaders& readers) {
    std::string line = print_common(readers);
    if (line.empty()) return;
    const auto [place, is_new] = numbers.emplace(std::move(line), numbers.size());
    if (is_new) common += place->first;
    lines += fmt::format("{}\t{}\t{}\n", place->second, stamp, folder);
  };
  std::set<std::string_view> renewed;
  for (const Noted& each : noted_) {
    renewed.insert(each.folder);
    add(each.folder, each.stamp, each.readers);
  }
  for (const auto& [folder, entry] : entries_)
    if ((entry.met || !whole) && !renewed.contains(folder)) add(folder, entry.stamp, known_[entry.readers]);
  if (common.size() + lines.size() > kMaxFileBytes) return {};  // it would not be read
  TRY(make_folders(path_.substr(0, path_.rfind('/')), 0700));
  return write_file(path_, common + lines, 0600);
}

}  // namespace vmcred::store
