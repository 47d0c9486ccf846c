#include "chain/doctor/credential_lines.h"

#include <algorithm>
#include <optional>

#include "chain/unit_text.h"
#include "declare/names.h"

namespace vmcred::chain::doctor {
namespace {

/// Unit names as %i and its like see them: "microvm@a-b.service" is the prefix microvm and the instance a-b.
struct Parts {
  std::string whole;     // %n
  std::string no_type;   // %N
  std::string prefix;    // %p
  std::string instance;  // %i
};

Parts parts_of(std::string_view unit) {
  Parts parts;
  parts.whole = unit;
  parts.no_type = unit.substr(0, unit.rfind('.'));
  const std::size_t at = parts.no_type.find('@');
  parts.prefix = parts.no_type.substr(0, at);
  if (at != std::string::npos) parts.instance = parts.no_type.substr(at + 1);
  return parts;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// systemd's unescaping of names: '-' is '/', \xHH is a byte.
std::string unescaped(std::string_view name) {
  std::string text;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name[i] == '-') {
      text += '/';
    } else if (name[i] == '\\' && i + 3 < name.size() && name[i + 1] == 'x' && hex_digit(name[i + 2]) >= 0 &&
               hex_digit(name[i + 3]) >= 0) {
      text += static_cast<char>(hex_digit(name[i + 2]) * 16 + hex_digit(name[i + 3]));
      i += 3;
    } else {
      text += name[i];
    }
  }
  return text;
}

/// Absolute, without "." and "..", as path_is_normalized() wants it.
bool normal_path(std::string_view path) {
  if (!path.starts_with('/')) return false;
  const std::string closed = std::string(path) + "/";
  return !closed.contains("/../") && !closed.contains("/./");
}

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

bool valid_import(std::string_view pattern) {
  if (pattern.find_first_of("?[]") != std::string_view::npos) return false;
  const std::size_t star = pattern.find('*');
  if (star == std::string_view::npos) return declare::valid_credential_name(pattern);
  return star + 1 == pattern.size() && pattern.find_first_of("/:") == std::string_view::npos;
}

/// False: systemd ignores the line.
bool fill(CredentialLine& line, const std::string& value, std::string_view unit) {
  const std::size_t colon = value.find(':');
  const auto id = expand_specifiers(value.substr(0, colon), unit);
  if (!id) {  // cannot be followed: kept with what stands there
    line.id = value.substr(0, colon);
  } else {
    line.id = *id;
  }
  if (line.kind == LineKind::import) {
    line.source = line.id;
    return valid_import(line.id);
  }
  if (!declare::valid_credential_name(line.id)) return false;
  if (line.kind == LineKind::set || line.kind == LineKind::set_encrypted) {
    line.bytes = colon == std::string::npos ? 0 : value.size() - colon - 1;
    return line.bytes > 0;
  }
  const std::string source = colon == std::string::npos ? line.id : value.substr(colon + 1);
  const auto expanded = expand_specifiers(source, unit);
  line.source = expanded ? *expanded : source;
  if (!expanded) return !source.empty();
  return normal_path(line.source) || declare::valid_credential_name(line.source);
}

}  // namespace

std::string_view setting_name(LineKind kind) {
  constexpr std::string_view kNames[] = {"LoadCredential", "LoadCredentialEncrypted", "SetCredential",
                                         "SetCredentialEncrypted", "ImportCredential"};
  return kNames[static_cast<std::size_t>(kind)];
}

CredentialLines credential_lines(const std::vector<UnitText>& files, std::string_view unit) {
  CredentialLines found;
  for (const UnitText& file : files) {
    for (const Setting& setting : read_unit(file.text)) {
      const auto kind = setting.section == "Service" ? kind_of(setting.key) : std::nullopt;
      if (!kind) continue;
      const auto same_table = [&](const CredentialLine& other) { return table_of(other.kind) == table_of(*kind); };
      if (setting.value.empty()) {
        std::erase_if(found.lines, same_table);
        continue;
      }
      CredentialLine line = {.kind = *kind, .id = {}, .place = {.file = file.file, .line = setting.line, .column = 1}};
      if (!fill(line, setting.value, unit)) {
        line.source =
            line.kind == LineKind::set || line.kind == LineKind::set_encrypted ? line.id + ":…" : setting.value;
        found.ignored.push_back(std::move(line));
        continue;
      }
      std::erase_if(found.lines, [&](const CredentialLine& other) { return same_table(other) && other.id == line.id; });
      found.lines.push_back(std::move(line));
    }
  }
  return found;
}

Result<std::string> expand_specifiers(std::string_view text, std::string_view unit) {
  const Parts parts = parts_of(unit);
  std::string expanded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      expanded += text[i];
      continue;
    }
    const char letter = i + 1 < text.size() ? text[++i] : '\0';
    switch (letter) {
      case '%':
        expanded += '%';
        break;
      case 'n':
        expanded += parts.whole;
        break;
      case 'N':
        expanded += parts.no_type;
        break;
      case 'p':
        expanded += parts.prefix;
        break;
      case 'P':
        expanded += unescaped(parts.prefix);
        break;
      case 'i':
        expanded += parts.instance;
        break;
      case 'I':
        expanded += unescaped(parts.instance);
        break;
      case 'j':
        expanded += parts.prefix.substr(parts.prefix.rfind('-') + 1);
        break;
      case 't':
        expanded += "/run";
        break;
      case 'S':
        expanded += "/var/lib";
        break;
      case 'C':
        expanded += "/var/cache";
        break;
      case 'L':
        expanded += "/var/log";
        break;
      case 'E':
        expanded += "/etc";
        break;
      case 'T':
        expanded += "/tmp";
        break;
      case 'V':
        expanded += "/var/tmp";
        break;
      case 'd':
        expanded += "/run/credentials/" + parts.whole;
        break;
      default:
        return fail(Errc::invalid_data, "'%{}' is known to systemd alone", letter == '\0' ? ' ' : letter);
    }
  }
  return expanded;
}

}  // namespace vmcred::chain::doctor
