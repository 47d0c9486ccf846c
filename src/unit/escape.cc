#include "unit/escape.h"

#include <algorithm>

namespace vmcred::unit {
namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }

Result<> check_writable(std::string_view value, std::string_view what) {
  if (std::ranges::any_of(value, is_control)) {
    return fail(Errc::invalid_data, "{} holds a control character and cannot stand in a unit file", what);
  }
  return {};
}

void append(std::string& text, char c, bool doubled) { text.append(doubled ? 2 : 1, c); }

}  // namespace

Result<std::string> setting_value(std::string_view value, std::string_view what) {
  TRY(check_writable(value, what));
  if (value.empty()) return fail(Errc::invalid_data, "{} is empty", what);
  if (value.front() == ' ' || value.back() == ' ') {
    return fail(Errc::invalid_data, "{} begins or ends with a space, which unit files cannot express", what);
  }
  if (value.back() == '\\') {
    return fail(Errc::invalid_data, "{} ends with a backslash, which would continue the line of a unit file", what);
  }
  std::string text;
  for (const char c : value) append(text, c, c == '%');
  return text;
}

Result<std::string> credential_id(std::string_view id, std::string_view what) {
  TRY_LET(const std::string value, setting_value(id, what));
  std::string text;  // the part before the ':' is read as a word, in which a backslash escapes
  for (const char c : value) append(text, c, c == '\\');
  return text;
}

Result<std::string> setting_word(std::string_view value, Splitting splitting, std::string_view what) {
  TRY(check_writable(value, what));
  const bool plain = !value.empty() && std::ranges::all_of(value, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/._-+,=@%$").contains(c);
  });
  std::string text;
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    append(text, c, c == '%' || (c == '$' && splitting == Splitting::command));
  }
  return plain ? text : "\"" + text + "\"";
}

}  // namespace vmcred::unit
