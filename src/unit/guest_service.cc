#include "unit/guest_service.h"

#include <fmt/format.h>

#include <algorithm>

#include "unit/escape.h"

namespace vmcred::unit {
namespace {

/// systemd.syntax(7): a word in double quotes takes C escapes; `%` and, in a command, `$` are doubled.
Result<std::string> script_word(std::string_view script, const std::string& service) {
  std::string word = "\"";
  for (const char c : script) {
    switch (c) {
      case '\n':
        word += "\\n";
        break;
      case '\t':
        word += "\\t";
        break;
      case '"':
        word += "\\\"";
        break;
      case '\\':
        word += "\\\\";
        break;
      case '%':
        word += "%%";
        break;
      case '$':
        word += "$$";
        break;
      default:
        if (c >= 0 && c < 0x20)
          return fail(Errc::invalid_data, "the script of guest service '{}' holds a control character", service);
        word += c;
    }
  }
  return word + '"';
}

bool setting_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

/// "After=a\nAfter=b\n". What NixOS gives is written as it stands: specifiers and quotes are the author's.
Result<std::string> section(const Json* settings, const std::string& service) {
  std::string text;
  if (settings == nullptr || settings->if_object() == nullptr) return text;
  for (const auto& [name, lines] : *settings->if_object()) {
    if (!setting_name(name) || lines.if_array() == nullptr)
      return fail(Errc::invalid_data, "guest service '{}': '{}' is no setting", service, name);
    for (const Json& line : *lines.if_array()) {
      if (line.if_string() == nullptr || line.if_string()->find_first_of("\n\r") != std::string::npos) {
        return fail(Errc::invalid_data, "guest service '{}': the value of '{}' is no line", service, name);
      }
      text += fmt::format("{}={}\n", name, *line.if_string());
    }
  }
  return text;
}

/// "ExecStart=/bin/sh -e -c …"
Result<std::string> script_lines(const Json* scripts, const std::string& service) {
  std::string text;
  if (scripts == nullptr || scripts->if_object() == nullptr) return text;
  for (const auto& [name, script] : *scripts->if_object()) {
    if (!name.starts_with("Exec") || !setting_name(name) || script.if_string() == nullptr) {
      return fail(Errc::invalid_data, "guest service '{}': '{}' is no script", service, name);
    }
    TRY_LET(const std::string word, script_word(*script.if_string(), service));
    text += fmt::format("{}=/bin/sh -e -c {}\n", name, word);
  }
  return text;
}

bool unit_name(std::string_view name) {
  return !name.empty() && !name.starts_with('.') && name.find_first_of("/\n ") == std::string_view::npos;
}

}  // namespace

Result<std::vector<UnitFile>> guest_services(const Json& services) {
  std::vector<UnitFile> files;
  if (services.if_object() == nullptr) return files;
  for (const auto& [name, service] : *services.if_object()) {
    if (!unit_name(name)) return fail(Errc::invalid_data, "'{}' is no name of a guest service", name);
    const std::string unit = name.ends_with(".service") ? name : name + ".service";
    TRY_LET(const std::string head, section(service.find("unit"), name));
    TRY_LET(std::string body, section(service.find("service"), name));
    TRY_LET(const std::string commands, script_lines(service.find("scripts"), name));
    body += commands;
    std::string description;
    if (const std::string text = service.string_at("description"); !text.empty()) {
      TRY_LET(const std::string value, setting_value(text, fmt::format("the description of guest service '{}'", name)));
      description = fmt::format("Description={}\n", value);
    }
    files.push_back({unit, fmt::format("{}\n\n[Unit]\n{}{}\n[Service]\n{}", kMark, description, head, body)});
    const Json* targets = service.find("wanted-by");
    if (targets == nullptr || targets->if_array() == nullptr) continue;
    for (const Json& target : *targets->if_array()) {
      if (target.if_string() == nullptr || !unit_name(*target.if_string()))
        return fail(Errc::invalid_data, "guest service '{}' is wanted by what is no unit", name);
      // A drop-in of the target rather than a link below its .wants: it carries the mark of what is ours.
      files.push_back({fmt::format("{}.d/50-vmcred-{}.conf", *target.if_string(), name),
                       fmt::format("{}\n\n[Unit]\nWants={}\n", kMark, unit)});
    }
  }
  return files;
}

}  // namespace vmcred::unit
