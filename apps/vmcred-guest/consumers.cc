#include "consumers.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/file.h"
#include "unitfile/credential_lines.h"
#include "unitfile/tree.h"

namespace vmcred::guest {
namespace {

constexpr std::size_t kMaxUnitFile = 1024 * 1024;
constexpr std::size_t kMaxTarget = 4096;
constexpr std::string_view kService = ".service";

/// Each folder is listed once: a system has hundreds of services and few drop-ins.
std::vector<unitfile::Folder> listed(const std::vector<std::string>& paths) {
  std::vector<unitfile::Folder> folders;
  for (const std::string& path : paths) {
    auto names = list_folder(path);
    if (!names) continue;
    unitfile::Folder& folder = folders.emplace_back(unitfile::Folder{.path = path});
    for (std::string& name : *names) {
      if (name.ends_with(".service.d") || name == "service.d") {
        if (auto files = list_folder(join_path(path, name)))
          folder.drop_ins.emplace(std::move(name), *std::move(files));
      } else if (name.ends_with(kService)) {
        folder.files.push_back(std::move(name));
      }
    }
  }
  return folders;
}

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// Whether two paths, links followed, lead to the same file or folder.
bool are_one_file(const std::string& one, const std::string& other) {
  struct stat first = {};
  struct stat second = {};
  if (::stat(one.c_str(), &first) != 0 || ::stat(other.c_str(), &second) != 0) return false;
  return first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

bool has_drop_ins(const std::string& unit, const std::vector<unitfile::Folder>& folders) {
  std::vector<std::string> names = unitfile::drop_in_folders(unit);
  names.pop_back();  // that of all services
  return std::ranges::any_of(folders, [&](const unitfile::Folder& folder) {
    return std::ranges::any_of(names, [&](const std::string& name) { return folder.drop_ins.contains(name); });
  });
}

/// A link to another name in a folder of units makes it that one's other name, whichever folder that one stands in.
/// Only those that have drop-ins are looked at.
std::map<std::string, std::string> aliases_in(const std::vector<unitfile::Folder>& folders) {
  std::set<std::string> seen;
  std::map<std::string, std::string> aliases;
  for (const unitfile::Folder& folder : folders)
    for (const std::string& file : folder.files) seen.insert(file);
  std::set<std::string> met;
  for (const unitfile::Folder& folder : folders) {
    for (const std::string& file : folder.files) {
      if (!met.insert(file).second || !has_drop_ins(file, folders)) continue;
      std::array<char, kMaxTarget> text = {};
      const ssize_t size = ::readlink(join_path(folder.path, file).c_str(), text.data(), text.size());
      if (size <= 0 || static_cast<std::size_t>(size) == text.size()) continue;
      const std::string target = join_path(folder.path, {text.data(), static_cast<std::size_t>(size)});
      const std::string name = target.substr(target.rfind('/') + 1);
      if (name == file || !seen.contains(name)) continue;
      for (const unitfile::Folder& other : folders)
        if (are_one_file(folder_of(target), other.path)) aliases[file] = name;
    }
  }
  return aliases;
}

/// What a unit loads. An empty file masks as a link to /dev/null does, and drop-ins of nothing are none.
unitfile::CredentialLines loads_of(const unitfile::UnitFiles& unit) {
  std::vector<unitfile::UnitText> texts;
  const auto fragment = read_file(unit.fragment, kMaxUnitFile);
  if (!fragment || fragment->empty()) return {};
  if (fragment->contains("Credential")) texts.push_back({unit.fragment, *fragment});
  for (const std::string& path : unit.drop_ins)
    if (auto text = read_file(path, kMaxUnitFile); text && text->contains("Credential"))
      texts.push_back({path, *std::move(text)});
  return texts.empty() ? unitfile::CredentialLines() : unitfile::credential_lines(texts, unit.name);
}

/// Under which names the unit gets the system's credential `name`.
std::set<std::string> ids_of(const std::vector<unitfile::CredentialLine>& lines, const std::string& name) {
  using unitfile::LineKind;
  std::set<std::string> ids;
  std::set<std::string> loaded;
  for (const unitfile::CredentialLine& line : lines) {
    if (line.kind != LineKind::load && line.kind != LineKind::load_encrypted) continue;
    loaded.insert(line.id);
    if (line.source == name) ids.insert(line.id);
  }
  for (const unitfile::CredentialLine& line : lines) {
    if (line.kind != LineKind::import) continue;
    const auto id = unitfile::imported_as(line, name);
    if (id && !loaded.contains(*id)) ids.insert(*id);
  }
  return ids;
}

}  // namespace

std::vector<std::string> unit_folders() { return unitfile::system_folders(); }

std::vector<link::Consumer> find_consumers(const std::vector<std::string>& folders,
                                           const std::vector<std::string>& names) {
  const std::vector<unitfile::Folder> all = listed(folders);
  std::vector<link::Consumer> consumers;
  for (const unitfile::UnitFiles& unit : unitfile::units_of(all, kService, aliases_in(all))) {
    if (unit.name.ends_with("@.service") || unit.fragment.empty()) continue;
    const unitfile::CredentialLines loads = loads_of(unit);
    for (const std::string& name : names)
      for (const std::string& id : ids_of(loads.lines, name))
        consumers.push_back({.guest = name, .id = id, .unit = unit.name, .state = {}});
  }
  return consumers;
}

}  // namespace vmcred::guest
