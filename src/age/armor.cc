#include "age/armor.h"

#include <algorithm>

#include "base/base64.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kBegin = "-----BEGIN AGE ENCRYPTED FILE-----";
constexpr std::string_view kEnd = "-----END AGE ENCRYPTED FILE-----";
constexpr std::string_view kSpaces = " \t\n\v\f\r";
constexpr std::size_t kColumns = 64;
constexpr std::size_t kMaxSpaces = 1024;

std::string_view without_leading_spaces(std::string_view text) {
  return text.substr(std::min(text.find_first_not_of(kSpaces), text.size()));
}

/// Takes a line without its LF or CRLF; the last one may lack it.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  if (end != std::string_view::npos && line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool is_armored(std::string_view text) { return without_leading_spaces(text).starts_with(kBegin); }

std::string write_armor(std::string_view file) {
  const std::string body = base64_encode(bytes_of(file));
  std::string out;
  out.reserve(kBegin.size() + kEnd.size() + 2 + body.size() + body.size() / kColumns + 1);
  out += kBegin;
  out += '\n';
  for (std::size_t at = 0; at < body.size(); at += kColumns) {
    out += std::string_view(body).substr(at, kColumns);
    out += '\n';
  }
  out += kEnd;
  out += '\n';
  return out;
}

Result<std::string> read_armor(std::string_view text) {
  std::string_view rest = without_leading_spaces(text);
  if (text.size() - rest.size() > kMaxSpaces) return fail(Errc::invalid_data, "too much white space before the armor");
  if (take_line(rest) != kBegin) return fail(Errc::invalid_data, "the armor has no BEGIN line");
  std::string body;
  body.reserve(rest.size());
  for (bool last = false;;) {
    if (rest.empty()) return fail(Errc::invalid_data, "the armor has no END line");
    const std::string_view line = take_line(rest);
    if (line == kEnd) break;
    if (last) return fail(Errc::invalid_data, "the armor has a short line before its last");
    if (line.empty() || line.size() > kColumns) {
      return fail(Errc::invalid_data, "the armor has a line of {} columns", line.size());
    }
    last = line.size() < kColumns;
    body += line;
  }
  if (rest.size() > kMaxSpaces || rest.find_first_not_of(kSpaces) != std::string_view::npos) {
    return fail(Errc::invalid_data, "something follows the END line of the armor");
  }
  return in("armor", base64_decode(body));
}

}  // namespace vmcred::age
