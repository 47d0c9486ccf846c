#include "consumers.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"

namespace vmcred::guest {
namespace {

constexpr std::size_t kMaxUnitFile = 1024 * 1024;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

/// What one service loads: id -> source name, and patterns of ImportCredential=.
struct Loads {
  std::map<std::string, std::string> by_id;
  std::vector<std::string> imports;
};

/// Adds what `text` assigns in its [Service] section (systemd.syntax(7): an empty assignment forgets the earlier ones).
void read_assignments(std::string_view text, Loads& loads) {
  bool service = false;
  std::string continued;
  while (!text.empty()) {
    const std::string_view raw = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), raw.size() + 1));
    const std::string_view part = trimmed(raw);
    if (part.starts_with('#') || part.starts_with(';')) continue;
    if (part.ends_with('\\')) {
      continued += std::string(part.substr(0, part.size() - 1)) + " ";
      continue;
    }
    const std::string whole = continued + std::string(part);
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
        loads.imports.emplace_back(value.substr(0, value.find(':')));
      }
    }
  }
}

bool matches(std::string_view pattern, std::string_view name) {
  return pattern.ends_with('*') ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : pattern == name;
}

Loads read_service(const std::vector<std::string>& folders, const std::string& unit) {
  Loads loads;
  for (const std::string& folder : folders) {
    const auto text = read_file(join_path(folder, unit), kMaxUnitFile);
    if (!text) continue;
    read_assignments(*text, loads);
    break;
  }
  std::map<std::string, std::string> drop_ins;  // by file name: a stronger folder's file hides a weaker one's
  for (const std::string& folder : folders) {
    for (const std::string& of : {unit + ".d", std::string("service.d")}) {
      const auto files = list_folder(join_path(folder, of));
      if (!files) continue;
      for (const std::string& file : *files) {
        if (file.ends_with(".conf")) drop_ins.emplace(file, join_path(join_path(folder, of), file));
      }
    }
  }
  for (const auto& [file, path] : drop_ins) {
    if (const auto text = read_file(path, kMaxUnitFile)) read_assignments(*text, loads);
  }
  return loads;
}

}  // namespace

std::vector<std::string> unit_folders() {
  return {"/etc/systemd/system", "/run/systemd/system", "/run/systemd/generator", "/usr/local/lib/systemd/system",
          "/usr/lib/systemd/system", "/lib/systemd/system"};
}

std::vector<link::Consumer> find_consumers(const std::vector<std::string>& folders, const std::vector<std::string>& names) {
  std::set<std::string> units;
  for (const std::string& folder : folders) {
    const auto files = list_folder(folder);
    if (!files) continue;
    for (const std::string& file : *files) {
      const std::string unit = file.ends_with(".service.d") ? file.substr(0, file.size() - 2) : file;
      if (unit.ends_with(".service") && !unit.ends_with("@.service")) units.insert(unit);
    }
  }
  std::vector<link::Consumer> consumers;
  for (const std::string& unit : units) {
    const Loads loads = read_service(folders, unit);
    for (const std::string& name : names) {
      for (const auto& [id, source] : loads.by_id) {
        if (source == name) consumers.push_back({.guest = name, .id = id, .unit = unit, .state = {}});
      }
      const bool imported = std::ranges::any_of(loads.imports, [&](const auto& pattern) { return matches(pattern, name); });
      if (imported && !loads.by_id.contains(name)) consumers.push_back({.guest = name, .id = name, .unit = unit, .state = {}});
    }
  }
  return consumers;
}

}  // namespace vmcred::guest
