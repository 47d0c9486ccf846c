#include "systemd_json.h"

#include <fmt/core.h>

namespace vmcred::guest {
namespace {

std::string json_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out += c;
        }
    }
  }
  return out + "\"";
}

void append(std::string& out, const Json& value, bool pretty, std::size_t depth) {
  const auto begin_line = [&](std::size_t at) {
    if (pretty) out += "\n" + std::string(at, '\t');
  };
  if (const auto* array = value.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < array->size(); ++i) {
      if (i > 0) out += ',';
      begin_line(depth + 1);
      append(out, (*array)[i], pretty, depth + 1);
    }
    if (!array->empty()) begin_line(depth);
    out += ']';
  } else if (const auto* object = value.if_object()) {
    out += '{';
    for (std::size_t i = 0; i < object->size(); ++i) {
      if (i > 0) out += ',';
      begin_line(depth + 1);
      out += json_string((*object)[i].first) + (pretty ? " : " : ":");
      append(out, (*object)[i].second, pretty, depth + 1);
    }
    if (!object->empty()) begin_line(depth);
    out += '}';
  } else if (const auto* text = value.if_string()) {
    out += json_string(*text);
  } else if (const auto* integer = value.if_integer()) {
    out += fmt::format("{}", *integer);
  } else if (const auto* number = value.if_double()) {
    out += fmt::format("{:.21e}", *number);
  } else if (const auto* flag = value.if_bool()) {
    out += *flag ? "true" : "false";
  } else {
    out += "null";
  }
}

}  // namespace

Result<JsonMode> json_mode(std::string_view word) {
  if (word == "off") return JsonMode::off;
  if (word == "short") return JsonMode::brief;
  if (word == "pretty") return JsonMode::pretty;
  return fail(Errc::usage, "'{}' is no JSON mode; there are short, pretty and off", word);
}

std::string systemd_json(const Json& value, JsonMode mode) {
  std::string out;
  append(out, value, mode == JsonMode::pretty, 0);
  return out + "\n";
}

}  // namespace vmcred::guest
