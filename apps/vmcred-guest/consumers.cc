#include "consumers.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "base/file.h"

namespace vmcred::guest {
namespace {

constexpr std::size_t kMaxUnitFile = 1024 * 1024;
constexpr std::size_t kMaxTarget = 4096;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// Whether the line goes on in the next one: it ends with a backslash that no other one takes away.
bool goes_on(std::string_view line) {
  const std::size_t last = line.find_last_not_of('\\');
  return (line.size() - (last == std::string_view::npos ? 0 : last + 1)) % 2 == 1;
}

/// What one service loads: id -> source name, and patterns of ImportCredential= (systemd 257: "db.*:mine.").
struct Loads {
  std::map<std::string, std::string> by_id;
  std::vector<std::pair<std::string, std::string>> imports;  ///< and what stands in place of the pattern's fixed part ("": that)
};

/// Adds what `text` assigns in its [Service] section (systemd.syntax(7): an empty assignment forgets the earlier ones).
void read_assignments(std::string_view text, Loads& loads) {
  bool service = false;
  std::string continued;
  while (!text.empty()) {
    std::string_view raw = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), raw.size() + 1));
    if (raw.ends_with('\r')) raw.remove_suffix(1);
    const std::string_view part = trimmed(raw);
    if (part.starts_with('#') || part.starts_with(';')) continue;
    if (goes_on(raw)) {
      continued += std::string(raw.substr(0, raw.size() - 1)) + " ";
      continue;
    }
    const std::string whole = continued + std::string(raw);
    continued.clear();
    const std::string_view line = trimmed(whole);
    if (line.starts_with('[')) service = line == "[Service]";
    const auto equals = line.find('=');
    if (!service || equals == std::string_view::npos) continue;
    const std::string_view key = trimmed(line.substr(0, equals));
    const std::string_view value = trimmed(line.substr(equals + 1));
    if (key == "LoadCredential" || key == "LoadCredentialEncrypted") {
      if (value.empty()) loads.by_id.clear();
      const auto colon = value.find(':');
      const std::string id(value.substr(0, colon));
      if (!id.empty()) loads.by_id[id] = colon == std::string_view::npos ? id : std::string(value.substr(colon + 1));
    } else if (key == "ImportCredential") {
      if (value.empty()) {
        loads.imports.clear();
      } else {
        const std::size_t colon = std::min(value.find(':'), value.size());
        loads.imports.emplace_back(value.substr(0, colon), value.substr(std::min(colon + 1, value.size())));
      }
    }
  }
}

/// Under which name one import gives the service the credential `name`.
std::optional<std::string> imported_as(const std::pair<std::string, std::string>& import, const std::string& name) {
  std::string_view fixed = import.first;
  const bool open = fixed.ends_with('*');
  if (open) fixed.remove_suffix(1);
  if (open ? !name.starts_with(fixed) : name != fixed) return {};
  return import.second.empty() ? name : import.second + name.substr(fixed.size());
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// Whether two paths, links followed, lead to the same file or folder.
bool are_one_file(const std::string& one, const std::string& other) {
  struct stat first = {};
  struct stat second = {};
  if (::stat(one.c_str(), &first) != 0 || ::stat(other.c_str(), &second) != 0) return false;
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

/// "web@.service" of the instance "web@1.service"; "" of what is none.
std::string template_of(const std::string& unit) {
  const std::size_t at = unit.find('@');
  return at == std::string::npos ? std::string() : unit.substr(0, at + 1) + ".service";
}

/// Adds the folders of drop-ins that belong to one service alone or share its name's beginning, the most specific first: of
/// "a-b.service" these are "a-b.service.d" and "a-.service.d" (systemd.unit(5)), of an instance also its template's, which shares
/// its beginning with plain services.
void add_drop_in_names(const std::string& unit, std::vector<std::string>& names) {
  if (std::ranges::find(names, unit + ".d") == names.end()) names.push_back(unit + ".d");
  const std::string of_all = template_of(unit);
  if (!of_all.empty() && of_all != unit) add_drop_in_names(of_all, names);
  const std::size_t end = std::min(unit.find('@'), unit.rfind('.'));  // of what is said before an instance
  std::size_t dash = end < 2 ? std::string::npos : unit.rfind('-', end - 2);  // the last byte may be the dash of the step before
  if (dash == std::string::npos || dash == 0) return;
  add_drop_in_names(unit.substr(0, dash + 1) + (of_all == unit ? ".service" : unit.substr(end)), names);
}

/// All services of some folders, of which each folder is listed once: a system has hundreds of services and few drop-ins.
class Services {
 public:
  explicit Services(const std::vector<std::string>& folders) {
    for (const std::string& folder : folders) {
      const auto files = list_folder(folder);
      if (!files) continue;
      std::map<std::string, std::string>& drop_ins = drop_ins_.emplace_back();
      for (const std::string& file : *files) {
        if (file.ends_with(".service"))
          if (std::string& path = files_[file]; path.empty()) path = join_path(folder, file);  // the strongest hides the others
        if (file.ends_with(".service.d") || file == kOfAll) drop_ins.emplace(file, join_path(folder, file));
        if (file.ends_with("-.service.d") || !file.ends_with(".service.d")) continue;
        files_.try_emplace(file.substr(0, file.size() - 2));
      }
    }
    for (const auto& [unit, file] : files_)
      if (!file.empty() && has_drop_ins(unit)) note_alias(unit, file, folders);
  }

  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const auto& [unit, file] : files_)
      if (!unit.ends_with("@.service")) names.push_back(unit);
    return names;
  }

  [[nodiscard]] Loads loads_of(const std::string& unit) const {
    Loads loads;
    const auto shared = files_.find(template_of(unit));
    const std::string& own = files_.at(unit).empty() && shared != files_.end() ? shared->second : files_.at(unit);
    if (!add(own, loads)) return {};  // masked, or drop-ins of nothing
    std::map<std::string, std::string> files;  // by file name: a stronger folder's file hides a weaker one's
    std::vector<std::string> known_as = {unit};
    const auto others = aliases_.find(unit);
    if (others != aliases_.end()) known_as.insert(known_as.end(), others->second.begin(), others->second.end());
    for (const std::string& each : known_as) {
      std::vector<std::string> names;
      add_drop_in_names(each, names);
      for (const auto& folder : drop_ins_)
        for (const std::string& name : names) find_drop_ins(folder, name, files);
    }
    for (const auto& folder : drop_ins_) find_drop_ins(folder, kOfAll, files);
    for (const auto& [file, path] : files) (void)add(path, loads);
    return loads;
  }

 private:
  static constexpr const char* kOfAll = "service.d";

  [[nodiscard]] bool has_drop_ins(const std::string& unit) const {
    std::vector<std::string> names;
    add_drop_in_names(unit, names);
    return std::ranges::any_of(drop_ins_, [&](const auto& folder) {
      return std::ranges::any_of(names, [&](const std::string& name) { return folder.contains(name); });
    });
  }
  /// A link to another name in a folder of units makes `unit` that one's other name, whichever folder that one stands in.
  void note_alias(const std::string& unit, const std::string& file, const std::vector<std::string>& folders) {
    std::array<char, kMaxTarget> text = {};
    const ssize_t size = ::readlink(file.c_str(), text.data(), text.size());
    if (size <= 0 || static_cast<std::size_t>(size) == text.size()) return;
    const std::string target = join_path(folder_of(file), {text.data(), static_cast<std::size_t>(size)});
    const std::string name = target.substr(target.rfind('/') + 1);
    if (name == unit || !files_.contains(name)) return;
    for (const std::string& folder : folders)
      if (are_one_file(folder_of(target), folder)) aliases_[name].insert(unit);
  }
  /// Whether there is something to read: an empty file masks as a link to /dev/null does.
  static bool add(const std::string& path, Loads& loads) {
    const auto text = read_file(path, kMaxUnitFile);
    if (text && text->contains("Credential")) read_assignments(*text, loads);
    return text && !text->empty();
  }
  static void find_drop_ins(const std::map<std::string, std::string>& folder, const std::string& name, std::map<std::string, std::string>& files) {
    const auto found = folder.find(name);
    if (found == folder.end()) return;
    const auto entries = list_folder(found->second);
    if (!entries) return;
    for (const std::string& file : *entries)
      if (file.ends_with(".conf") && !file.starts_with('.')) files.emplace(file, join_path(found->second, file));
  }

  std::map<std::string, std::set<std::string>> aliases_;        // unit -> its other names that have drop-ins
  std::map<std::string, std::string> files_;                    // unit -> its file; "" where it has drop-ins only
  std::vector<std::map<std::string, std::string>> drop_ins_;    // for each folder: "web.service.d" -> its path
};

}  // namespace

std::vector<std::string> unit_folders() {
  return {"/etc/systemd/system.control",  "/run/systemd/system.control", "/run/systemd/transient", "/run/systemd/generator.early",
          "/etc/systemd/system",          "/etc/systemd/system.attached", "/run/systemd/system",    "/run/systemd/system.attached",
          "/run/systemd/generator",       "/usr/local/lib/systemd/system", "/usr/lib/systemd/system", "/lib/systemd/system",
          "/run/systemd/generator.late"};
}

std::vector<link::Consumer> find_consumers(const std::vector<std::string>& folders, const std::vector<std::string>& names) {
  const Services services(folders);
  std::vector<link::Consumer> consumers;
  for (const std::string& unit : services.names()) {
    const Loads loads = services.loads_of(unit);
    for (const std::string& name : names) {
      for (const auto& [id, source] : loads.by_id) {
        if (source == name) consumers.push_back({.guest = name, .id = id, .unit = unit, .state = {}});
      }
      std::set<std::string> ids;
      for (const auto& import : loads.imports)
        if (const auto id = imported_as(import, name)) ids.insert(*id);
      for (const std::string& id : ids)
        if (!loads.by_id.contains(id)) consumers.push_back({.guest = name, .id = id, .unit = unit, .state = {}});
    }
  }
  return consumers;
}

}  // namespace vmcred::guest
