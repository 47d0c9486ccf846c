#include "chain/unit_files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/file.h"
#include "chain/sizes.h"
#include "unitfile/specifiers.h"
#include "unitfile/tree.h"

namespace vmcred::chain {
namespace {

using unitfile::UnitText;

constexpr std::array<std::string_view, 4> kTypes = {".service", ".socket", ".mount", ".swap"};

bool is_unit(std::string_view name) {
  return std::ranges::any_of(kTypes,
                             [&](std::string_view type) { return name.ends_with(type) && name.size() > type.size(); });
}

/// "web.service.d", "service.d".
bool is_drop_in_folder(std::string_view name) {
  if (!name.ends_with(".d")) return false;
  const std::string_view unit = name.substr(0, name.size() - 2);
  return is_unit(unit) || std::ranges::any_of(kTypes, [&](std::string_view type) { return unit == type.substr(1); });
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : slash == 0 ? "/" : path.substr(0, slash);
}
std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

/// One slash between two names, as paths are put together here.
std::string clean(std::string_view path) {
  std::string text;
  for (const char c : path)
    if (c != '/' || !text.ends_with('/')) text += c;
  return text;
}

/// A link to /dev/null, which masks what it stands for.
bool masks(const std::string& path) {
  struct stat status{};
  return ::stat(path.c_str(), &status) == 0 && S_ISCHR(status.st_mode);
}

/// systemd's own folders of the same kind and below the same root as `path`; nothing where it is none of them.
std::vector<std::string> siblings_of(const std::string& path) {
  for (const auto& known : {unitfile::system_folders(), unitfile::user_folders()}) {
    for (const std::string& each : known) {
      if (!path.ends_with(each) && path != each.substr(1)) continue;
      const std::string root = path.ends_with(each) ? path.substr(0, path.size() - each.size()) : std::string();
      std::vector<std::string> all;
      for (const std::string& other : known) all.push_back(path.ends_with(each) ? root + other : other.substr(1));
      return all;
    }
  }
  return {};
}

/// The name of the unit that a link in `folder` means by its own name `name`: another one, in the same folder or in one
/// of systemd's. "" for what is no such link.
std::string alias_at(const std::string& folder, const std::string& name) {
  std::array<char, 4096> text = {};
  const ssize_t size = ::readlink(join_path(folder, name).c_str(), text.data(), text.size());
  if (size <= 0 || static_cast<std::size_t>(size) == text.size()) return {};
  const std::string target(text.data(), static_cast<std::size_t>(size));
  const std::string unit = name_of(target);
  if (unit == name || !is_unit(unit) || unit.substr(unit.rfind('.')) != name.substr(name.rfind('.'))) return {};
  const std::string where = folder_of(target);
  const bool known = where.empty() || !siblings_of(where).empty();
  return known ? unit : std::string();
}

class Reader {
 public:
  Result<> file(const std::string& path) {
    if (std::ranges::find(units_, path, &UnitText::file) != units_.end()) return {};
    if (units_.size() == kMaxUnits) return fail(Errc::invalid_data, "there are more than {} unit files", kMaxUnits);
    TRY_LET(std::string text, in("read the unit", read_file(path, kMaxUnit)));
    units_.push_back({path, std::move(text)});
    return {};
  }

  /// X.service.d/*.conf; no such folder is fine.
  Result<> drop_ins(const std::string& folder) {
    if (!is_folder(folder)) return {};
    TRY_LET(const std::vector<std::string> names, list_folder(folder));
    for (const std::string& name : names)
      if (name.ends_with(".conf")) TRY(file_or_mask(join_path(folder, name)));
    return {};
  }

  Result<> all_of(const std::string& folder) {
    TRY_LET(const std::vector<std::string> names, list_folder(folder));
    for (const std::string& name : names) {
      const std::string path = join_path(folder, name);
      if (is_drop_in_folder(name)) TRY(drop_ins(path));
      if (is_unit(name)) TRY(file_or_mask(path));
    }
    return {};
  }

  /// What is gone leads nowhere, and loads nothing.
  Result<> file_or_mask(const std::string& path) {
    if (masks(path)) units_.push_back({path, {}});
    return size_of_file(path) ? file(path) : Result<>();
  }

  /// What `folders` add to the unit: drop-ins, and its file where there is none yet.
  Result<> of_unit(const std::string& unit, const std::vector<std::string>& folders) {
    bool known = std::ranges::any_of(units_, [&](const UnitText& each) { return name_of(each.file) == unit; });
    for (const std::string& folder : folders) {
      for (const std::string& name : unitfile::drop_in_folders(unit)) TRY(drop_ins(join_path(folder, name)));
      for (const std::string& name : {unit, unitfile::template_of(unit)}) {
        const std::string path = join_path(folder, name);
        if (known || name.empty() || (!size_of_file(path) && !masks(path))) continue;
        TRY(file_or_mask(path));
        known = true;
      }
    }
    return {};
  }

  /// Other names, by links in `folders`, of units that were read; and the drop-ins of these.
  Result<> aliases(const std::vector<std::string>& folders) {
    const std::vector<std::string> known = units();
    for (const std::string& folder : folders) {
      if (!is_folder(folder)) continue;
      TRY_LET(const std::vector<std::string> names, list_folder(folder));
      for (const std::string& name : names) {
        const std::string unit = is_unit(name) ? alias_at(folder, name) : std::string();
        if (unit.empty() || std::ranges::find(known, unit) == known.end()) continue;
        const std::string path = join_path(folder, name);
        const auto read = std::ranges::find(units_, path, &UnitText::file);
        (read == units_.end() ? units_.emplace_back(UnitText{path, {}}) : *read).alias_of = unit;
        for (const std::string& each : folders) TRY(drop_ins(join_path(each, name + ".d")));
      }
    }
    return {};
  }

  [[nodiscard]] std::vector<std::string> units() const {
    std::vector<std::string> names;
    for (const UnitText& each : units_) {
      const std::string above = name_of(folder_of(each.file));
      const std::string unit = is_drop_in_folder(above) ? above.substr(0, above.size() - 2) : name_of(each.file);
      const bool shared = !is_unit(unit) || unit.substr(0, unit.rfind('.')).ends_with('-');
      if (!shared && std::ranges::find(names, unit) == names.end()) names.push_back(unit);
    }
    return names;
  }
  std::vector<UnitText> take() && { return std::move(units_); }

 private:
  std::vector<UnitText> units_ = {};
};

/// How strong a folder is among systemd's; those of others stand as they were given.
std::size_t rank_of(const std::string& folder) {
  for (const auto& known : {unitfile::system_folders(), unitfile::user_folders()})
    for (std::size_t i = 0; i < known.size(); ++i)
      if (folder.ends_with(known[i]) || folder == known[i].substr(1)) return i;
  return unitfile::system_folders().size();
}

std::vector<unitfile::Folder> folders_of(const std::vector<UnitText>& files) {
  std::vector<unitfile::Folder> folders;
  const auto at = [&](const std::string& path) -> unitfile::Folder& {
    const auto known = std::ranges::find(folders, path, &unitfile::Folder::path);
    return known == folders.end() ? folders.emplace_back(unitfile::Folder{.path = path}) : *known;
  };
  for (const UnitText& each : files) {
    const std::string above = folder_of(clean(each.file));
    if (!each.alias_of.empty()) continue;
    if (is_drop_in_folder(name_of(above))) {
      at(folder_of(above)).drop_ins[name_of(above)].push_back(name_of(each.file));
    } else if (is_unit(name_of(each.file))) {
      at(above).files.push_back(name_of(each.file));
    }
  }
  std::ranges::stable_sort(folders, {}, [](const unitfile::Folder& each) { return rank_of(each.path); });
  return folders;
}

}  // namespace

Result<std::vector<UnitText>> read_units(const std::string& path) {
  Reader reader;
  std::string folder = path;
  while (folder.size() > 1 && folder.ends_with('/')) folder.pop_back();
  if (is_folder(folder) && is_drop_in_folder(name_of(folder))) {
    TRY(reader.drop_ins(folder));
    return std::move(reader).take();
  }
  const bool all = is_folder(folder);
  if (all) {
    TRY(reader.all_of(folder));
  } else {
    TRY(masks(path) ? reader.file_or_mask(path) : reader.file(path));
    folder = folder_of(path);
  }
  std::vector<std::string> folders = siblings_of(folder);
  if (folders.empty() && !all) folders = {folder};
  for (const std::string& unit : reader.units()) TRY(reader.of_unit(unit, folders));
  TRY(reader.aliases(folders.empty() ? std::vector<std::string>{folder} : folders));
  return std::move(reader).take();
}

std::vector<UnitOfFiles> files_of_units(const std::vector<UnitText>& files) {
  std::map<std::string, const UnitText*> by_path;
  for (const UnitText& each : files) by_path.emplace(clean(each.file), &each);
  std::vector<UnitOfFiles> units;
  std::set<std::string> masked;
  const std::vector<unitfile::Folder> folders = folders_of(files);
  std::map<std::string, std::string> aliases;
  for (const UnitText& each : files)
    if (!each.alias_of.empty()) aliases[name_of(each.file)] = each.alias_of;
  for (const std::string_view type : kTypes) {
    for (const unitfile::UnitFiles& found : unitfile::units_of(folders, type, aliases)) {
      if (aliases.contains(found.name)) continue;
      UnitOfFiles unit = {.name = found.name, .files = {}};
      const auto add = [&](const std::string& path) {
        if (const auto known = by_path.find(path); known != by_path.end()) unit.files.push_back(*known->second);
      };
      if (!found.fragment.empty()) add(found.fragment);
      if (!unit.files.empty() && unit.files.front().text.empty()) {  // an empty file masks as a link to /dev/null does
        for (const std::string& path : found.drop_ins) masked.insert(path);
        continue;
      }
      for (const std::string& path : found.drop_ins) add(path);
      units.push_back(std::move(unit));
    }
  }
  // What belongs to none of them: drop-ins of a prefix or of all, and files with another name.
  const auto used = [&](const std::string& file) {
    return std::ranges::any_of(units, [&](const UnitOfFiles& unit) {
      return std::ranges::find(unit.files, file, &UnitText::file) != unit.files.end();
    });
  };
  for (const UnitText& each : files) {
    if (used(each.file) || masked.contains(clean(each.file))) continue;
    const std::string above = name_of(folder_of(each.file));
    if (is_unit(name_of(each.file))) continue;  // a stronger folder's file hides it
    units.push_back(
        {.name = is_drop_in_folder(above) ? above.substr(0, above.size() - 2) : name_of(each.file), .files = {each}});
  }
  return units;
}

}  // namespace vmcred::chain
