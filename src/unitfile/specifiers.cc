#include "unitfile/specifiers.h"

namespace vmcred::unitfile {
namespace {

/// Unit names as specifiers see them: "microvm@a-b.service" is the prefix microvm and the instance a-b.
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

std::optional<std::string> expanded(char letter, const Parts& parts, Manager manager) {
  switch (letter) {
    case '%':
      return "%";
    case 'n':
      return parts.whole;
    case 'N':
      return parts.no_type;
    case 'p':
      return parts.prefix;
    case 'P':
      return unescaped(parts.prefix);
    case 'i':
      return parts.instance;
    case 'I':
      return unescaped(parts.instance);
    case 'j':
      return parts.prefix.substr(parts.prefix.rfind('-') + 1);
    case 'J':
      return unescaped(parts.prefix.substr(parts.prefix.rfind('-') + 1));
    case 'f':
      return "/" + unescaped(parts.instance.empty() ? parts.prefix : parts.instance);
    case 'T':
      return "/tmp";
    case 'V':
      return "/var/tmp";
    default:
      break;
  }
  if (manager == Manager::user) return {};
  switch (letter) {
    case 't':
      return "/run";
    case 'S':
      return "/var/lib";
    case 'C':
      return "/var/cache";
    case 'L':
      return "/var/log";
    case 'E':
      return "/etc";
    case 'd':
      return "/run/credentials/" + parts.whole;
    case 'h':
      return "/root";
    case 'u':
    case 'g':
      return "root";
    case 'U':
    case 'G':
      return "0";
    default:
      return {};
  }
}

bool alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

}  // namespace

std::optional<std::string> expand_specifiers(std::string_view text, std::string_view unit, Manager manager) {
  const Parts parts = parts_of(unit);
  std::string all;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      all += text[i];
      continue;
    }
    if (i + 1 == text.size()) {
      all += '%';
      break;
    }
    const char letter = text[++i];
    if (const auto meant = expanded(letter, parts, manager)) {
      all += *meant;
    } else if (alphanumeric(letter)) {
      return {};
    } else {  // "%-" stands for itself
      all += '%';
      all += letter;
    }
  }
  return all;
}

bool has_unknown_specifier(std::string_view text, int systemd) {
  constexpr std::string_view kNone = "ekxzFKOQXZ0123456789";
  constexpr int kFirstWithSharedData = 256;  // %D
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (text[i] != '%') continue;
    const char letter = text[++i];
    if (kNone.contains(letter) || (letter == 'D' && systemd != 0 && systemd < kFirstWithSharedData)) return true;
  }
  return false;
}

Manager manager_of(std::string_view path) {
  return path.contains("/systemd/user") || path.contains("/.config/systemd/") ? Manager::user : Manager::system;
}

}  // namespace vmcred::unitfile
