#include "unitfile/tree.h"

#include <algorithm>
#include <set>

namespace vmcred::unitfile {
namespace {

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder + (folder.ends_with('/') ? "" : "/") + name;
}

void add_names(const std::string& unit, std::vector<std::string>& names) {
  const auto add = [&](std::string name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(std::move(name));
  };
  add(unit + ".d");
  const std::string of_all = template_of(unit);
  if (!of_all.empty() && of_all != unit) add_names(of_all, names);
  const std::size_t dot = unit.rfind('.');
  const std::size_t end = std::min(unit.find('@'), dot);  // of what is said before an instance
  // The last byte may be the dash of the step before.
  const std::size_t dash = end < 2 ? std::string::npos : unit.rfind('-', end - 2);
  if (dash == std::string::npos || dash == 0) return;
  add_names(unit.substr(0, dash + 1) + (of_all == unit ? unit.substr(dot) : unit.substr(end)), names);
}

/// Drop-ins of one's own, not those of a prefix or of all: "web.service.d".
bool belongs_to_one(std::string_view folder, std::string_view suffix) {
  if (!folder.ends_with(".d")) return false;
  const std::string_view unit = folder.substr(0, folder.size() - 2);
  if (!unit.ends_with(suffix) || unit.size() == suffix.size()) return false;
  const std::string_view prefix = unit.substr(0, std::min(unit.find('@'), unit.size() - suffix.size()));
  return !prefix.ends_with('-');
}

class Units {
 public:
  Units(const std::vector<Folder>& folders, std::string_view suffix, const std::map<std::string, std::string>& aliases)
      : folders_(folders), suffix_(suffix) {
    for (const Folder& folder : folders) {
      for (const std::string& file : folder.files)
        if (file.ends_with(suffix) && file.size() > suffix.size())
          if (std::string& path = fragments_[file]; path.empty())
            path = joined(folder.path, file);  // the strongest hides the others
      for (const auto& [name, files] : folder.drop_ins)
        if (belongs_to_one(name, suffix)) fragments_.try_emplace(name.substr(0, name.size() - 2));
    }
    for (const auto& [name, unit] : aliases) aliases_[unit].insert(name);
  }

  [[nodiscard]] std::vector<UnitFiles> all() const {
    std::vector<UnitFiles> units;
    for (const auto& [name, fragment] : fragments_) units.push_back(one(name));
    return units;
  }

 private:
  [[nodiscard]] UnitFiles one(const std::string& name) const {
    UnitFiles unit = {.name = name, .fragment = fragments_.at(name)};
    if (unit.fragment.empty())
      if (const auto shared = fragments_.find(template_of(name)); shared != fragments_.end())
        unit.fragment = shared->second;
    std::vector<std::string> known_as = {name};
    if (const auto others = aliases_.find(name); others != aliases_.end())
      known_as.insert(known_as.end(), others->second.begin(), others->second.end());
    std::map<std::string, std::string> files;  // by file name: a stronger folder's file hides a weaker one's
    for (const std::string& each : known_as) {
      std::vector<std::string> names = drop_in_folders(each);
      names.pop_back();  // that of all, which is the weakest also for other names
      for (const Folder& folder : folders_)
        for (const std::string& drop_in : names) find(folder, drop_in, files);
    }
    for (const Folder& folder : folders_) find(folder, std::string(suffix_.substr(1)) + ".d", files);
    for (auto& [file, path] : files) unit.drop_ins.push_back(path);
    return unit;
  }

  static void find(const Folder& folder, const std::string& name, std::map<std::string, std::string>& files) {
    const auto found = folder.drop_ins.find(name);
    if (found == folder.drop_ins.end()) return;
    for (const std::string& file : found->second)
      if (file.ends_with(".conf") && !file.starts_with('.'))
        files.emplace(file, joined(joined(folder.path, name), file));
  }

  const std::vector<Folder>& folders_;
  std::string_view suffix_;
  std::map<std::string, std::string> fragments_ = {};  // unit -> its file; "" where it has drop-ins only
  std::map<std::string, std::set<std::string>> aliases_ = {};
};

}  // namespace

std::vector<UnitFiles> units_of(const std::vector<Folder>& folders, std::string_view suffix,
                                const std::map<std::string, std::string>& aliases) {
  return Units(folders, suffix, aliases).all();
}

std::vector<std::string> drop_in_folders(std::string_view unit) {
  std::vector<std::string> names;
  add_names(std::string(unit), names);
  names.push_back(std::string(unit.substr(unit.rfind('.') + 1)) + ".d");
  return names;
}

std::string template_of(std::string_view unit) {
  const std::size_t at = unit.find('@');
  const std::size_t dot = unit.rfind('.');
  return at == std::string_view::npos || dot == std::string_view::npos || dot < at
             ? std::string()
             : std::string(unit.substr(0, at + 1)) + std::string(unit.substr(dot));
}

std::vector<std::string> system_folders() {
  return {"/etc/systemd/system.control",   "/run/systemd/system.control",  "/run/systemd/transient",
          "/run/systemd/generator.early",  "/etc/systemd/system",          "/etc/systemd/system.attached",
          "/run/systemd/system",           "/run/systemd/system.attached", "/run/systemd/generator",
          "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",      "/lib/systemd/system",
          "/run/systemd/generator.late"};
}

std::vector<std::string> user_folders() {
  return {"/etc/systemd/user.control",     "/etc/systemd/user",       "/run/systemd/user",
          "/usr/local/share/systemd/user", "/usr/share/systemd/user", "/usr/local/lib/systemd/user",
          "/usr/lib/systemd/user",         "/lib/systemd/user"};
}

}  // namespace vmcred::unitfile
