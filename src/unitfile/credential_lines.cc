#include "unitfile/credential_lines.h"

#include <algorithm>
#include <set>
#include <tuple>

namespace vmcred::unitfile {
namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::size_t kMaxPath = 4095;

std::optional<LineKind> kind_of(std::string_view key) {
  for (const LineKind kind :
       {LineKind::load, LineKind::load_encrypted, LineKind::set, LineKind::set_encrypted, LineKind::import})
    if (key == setting_name(kind)) return kind;
  return {};
}

/// Settings that share one table inside systemd.
int table_of(LineKind kind) {
  return kind == LineKind::load || kind == LineKind::load_encrypted ? 0 : kind == LineKind::import ? 2 : 1;
}

/// What stands before the first ':' that no backslash takes away, backslashes gone, and the rest; nothing for a
/// backslash at the end (systemd's extract_first_word()).
struct Parts {
  std::string first;
  std::optional<std::string_view> rest;
};
std::optional<Parts> parts_of(std::string_view value) {
  Parts parts;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\') {
      if (++i == value.size()) return {};
      parts.first += value[i];
    } else if (value[i] == ':') {
      parts.rest = value.substr(i + 1);
      return parts;
    } else {
      parts.first += value[i];
    }
  }
  return parts;
}

/// True for what cunescape() takes: \n, \x4f, \101, \u…, \U…, \s and so on.
bool unescapes(std::string_view text) {
  const auto digits = [&](std::size_t at, std::size_t count, std::string_view of) {
    return at + count <= text.size() && text.substr(at, count).find_first_not_of(of) == std::string_view::npos;
  };
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') continue;
    if (++i == text.size()) return false;
    const char c = text[i];
    if (std::string_view("abfnrtv\\\"'s").contains(c)) continue;
    if (c == 'x' && digits(i + 1, 2, kHex)) {
      i += 2;
    } else if (c == 'u' && digits(i + 1, 4, kHex)) {
      i += 4;
    } else if (c == 'U' && digits(i + 1, 8, kHex)) {
      i += 8;
    } else if (c >= '0' && c <= '7' && digits(i, 3, "01234567") && c <= '3') {
      i += 2;
    } else {
      return false;
    }
  }
  return true;
}

bool is_base64(std::string_view text) {
  std::size_t letters = 0;
  std::size_t padding = 0;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const bool letter =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    if (!letter || padding > 0) return false;
    ++letters;
  }
  return padding <= 2 && (letters + padding) % 4 == 0;
}

std::string pattern_fault(std::string_view pattern) {
  const std::size_t glob = pattern.find_first_of("*?[]");
  if (glob == std::string_view::npos) return credential_name_valid(pattern) ? "" : "it is no name of a credential";
  if (pattern[glob] != '*' || glob + 1 != pattern.size())
    return "a pattern may have one '*', at its end, and no other sign";
  return glob == 0 || credential_name_valid(pattern.substr(0, glob))
             ? ""
             : "what stands before the '*' is no name of a credential";
}

/// Fills the line in; returns why systemd ignores it, or "".
class Reader {
 public:
  Reader(std::string_view unit, int systemd) : unit_(unit), systemd_(systemd) {}

  std::string fill(CredentialLine& line, const std::string& value, Manager manager) {
    manager_ = manager;
    const bool holds = line.kind == LineKind::set || line.kind == LineKind::set_encrypted;
    if (has_unknown_specifier(holds ? value.substr(0, value.find(':')) : value, systemd_))
      return "it has a specifier that systemd does not know";
    if (line.kind == LineKind::import && systemd_ != kAnyVersion && systemd_ < kFirstWithRenames)
      return fill_import(line, value, {});
    const auto parts = parts_of(value);
    if (!parts) return "it ends with a backslash";
    if (line.kind == LineKind::import) return fill_import(line, parts->first, parts->rest);
    line.id = meant(parts->first);
    if (!credential_name_valid(line.id)) return "'" + line.id + "' is no name of a credential";
    if (line.kind == LineKind::set || line.kind == LineKind::set_encrypted) return fill_set(line, parts->rest);
    if (!parts->rest || parts->rest->empty()) {
      line.source = line.id;
      return {};
    }
    line.source = meant(*parts->rest);
    if (!known_ && line.source.starts_with('%')) return {};
    if (line.source.starts_with('/'))
      return path_is_normal(line.source) ? "" : "the path has '//', '.' or '..' in it, or is too long";
    return credential_name_valid(line.source) ? ""
                                              : "the source is neither an absolute path nor the name of a credential";
  }

 private:
  std::string meant(std::string_view text) {
    const auto expanded = expand_specifiers(text, unit_, manager_);
    known_ = expanded.has_value();  // what only the manager knows is kept as it stands
    return expanded ? *expanded : std::string(text);
  }

  std::string fill_import(CredentialLine& line, std::string_view pattern, std::optional<std::string_view> rename) {
    line.id = meant(pattern);
    line.source = line.id;
    if (known_) {
      if (line.id.contains(':'))
        return "systemd " + std::to_string(systemd_) + " knows no renames, which came with 257";
      if (std::string fault = pattern_fault(line.id); !fault.empty()) return fault;
    }
    if (!rename || rename->empty()) return {};
    line.rename = meant(*rename);
    return !known_ || credential_name_valid(*line.rename) ? "" : "what it is renamed to is no name of a credential";
  }

  static std::string fill_set(CredentialLine& line, std::optional<std::string_view> value) {
    if (!value || value->empty()) return "there is no value";
    line.bytes = value->size();
    if (line.kind == LineKind::set_encrypted) return is_base64(*value) ? "" : "the value is no base64";
    return unescapes(*value) ? "" : "the value has a backslash that stands for nothing";
  }

  std::string_view unit_;
  int systemd_;
  Manager manager_ = Manager::system;
  bool known_ = true;
};

}  // namespace

std::string_view setting_name(LineKind kind) {
  constexpr std::string_view kNames[] = {"LoadCredential", "LoadCredentialEncrypted", "SetCredential",
                                         "SetCredentialEncrypted", "ImportCredential"};
  return kNames[static_cast<std::size_t>(kind)];
}

bool credential_name_valid(std::string_view name) {
  if (name.empty() || name.size() > kMaxName || name == "." || name == "..") return false;
  return std::ranges::all_of(name, [](char c) { return c >= ' ' && c <= '~' && c != '/' && c != ':'; });
}

bool path_is_normal(std::string_view path) {
  if (!path.starts_with('/') || path.size() > kMaxPath || path.contains("//")) return false;
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end - at > kMaxName) return false;
    at = end + 1;
  }
  const std::string closed = std::string(path) + "/";
  return !closed.contains("/../") && !closed.contains("/./");
}

CredentialLines credential_lines(const std::vector<UnitText>& files, std::string_view unit, int systemd) {
  CredentialLines found;
  Reader reader(unit, systemd);
  const std::string_view own_section = section_of(unit);
  std::set<std::tuple<int, std::string, std::string>> known;  // table, id, rename: what `found.lines` has
  for (const UnitText& file : files) {
    const Manager manager = manager_of(file.file);
    for (const Setting& setting : read_unit(file.text)) {
      const auto kind = setting.section == own_section ? kind_of(setting.key) : std::nullopt;
      if (!kind) continue;
      const auto same_table = [&](const CredentialLine& other) { return table_of(other.kind) == table_of(*kind); };
      if (setting.value.empty()) {
        std::erase_if(found.lines, same_table);
        std::erase_if(known, [&](const auto& each) { return std::get<0>(each) == table_of(*kind); });
        continue;
      }
      CredentialLine line = {.kind = *kind, .id = {}, .file = file.file, .line = setting.line};
      line.why = reader.fill(line, setting.value, manager);
      if (!line.why.empty()) {
        const bool holds = line.kind == LineKind::set || line.kind == LineKind::set_encrypted;
        line.source = holds ? line.id + ":…" : setting.value;
        found.ignored.push_back(std::move(line));
        continue;
      }
      const auto same = [&](const CredentialLine& other) {
        return same_table(other) && other.id == line.id &&
               (line.kind != LineKind::import || other.rename == line.rename);
      };
      const std::string rename = line.kind == LineKind::import && line.rename ? "as " + *line.rename : "";
      line.replaces = !known.emplace(table_of(line.kind), line.id, rename).second;
      if (line.replaces) std::erase_if(found.lines, same);
      found.lines.push_back(std::move(line));
    }
  }
  return found;
}

std::optional<std::string> imported_as(const CredentialLine& import, std::string_view name) {
  std::string_view fixed = import.id;
  const bool open = fixed.ends_with('*');
  if (open) fixed.remove_suffix(1);
  if (open ? !name.starts_with(fixed) : name != fixed) return {};
  if (!import.rename) return std::string(name);
  return *import.rename + std::string(name.substr(fixed.size()));
}

}  // namespace vmcred::unitfile
