#include "chain/lines.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/file.h"
#include "declare/load.h"
#include "shape/secret_shape.h"

namespace vmcred::chain {
namespace {

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }  // UTF-8: not the first byte

bool word_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
         c == '.' || continues(c) || static_cast<unsigned char>(c) >= 0xC0;
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !continues(c); }));
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    lines.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return lines;
}

/// Each character of [begin, end) as a star, so that columns stay where they are.
void cover(std::string& line, std::size_t begin, std::size_t end) {
  std::string stars;
  for (std::size_t i = begin; i < end; ++i)
    if (!continues(line[i])) stars += '*';
  line.replace(begin, end - begin, stars);
}

/// A quoted text is covered whole: what is in it may be a secret only together.
std::pair<std::size_t, std::size_t> quoted_around(const std::string& line, std::size_t begin, std::size_t end) {
  for (const char quote : {'"', '\''}) {
    const std::size_t open = begin == 0 ? std::string::npos : line.rfind(quote, begin - 1);
    const std::size_t close = line.find(quote, end);
    const bool inside = open != std::string::npos && close != std::string::npos &&
                        std::count(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(open), quote) % 2 == 0;
    if (inside) return {open + 1, close};
  }
  return {begin, end};
}

/// Values of credentials, whatever they look like: "systemd.set_credential=NAME:VALUE", "systemd.credential.NAME:
/// VALUE".
void cover_credentials(std::string& line) {
  for (const std::string_view marker :
       {"systemd.set_credential", "io.systemd.credential", "SetCredential", "systemd.credential."}) {
    for (std::size_t at = line.find(marker); at != std::string::npos; at = line.find(marker, at + 1)) {
      std::size_t value = line.find_first_of("=:", at + marker.size());
      if (value != std::string::npos && !marker.ends_with('.')) value = line.find_first_of("=:", value + 1);
      if (value == std::string::npos) continue;
      value = std::min(line.find_first_not_of(" \"'", value + 1), line.size());
      cover(line, value, std::min(line.find_first_of(" \t\"'<,", value), line.size()));
    }
  }
}

std::string without_secrets(std::string line) {
  cover_credentials(line);
  const auto suspects = shape::secrets_in(line);
  std::size_t covered = line.size();
  for (auto each = suspects.rbegin(); each != suspects.rend(); ++each) {
    if (each->begin >= covered) continue;
    const auto [begin, end] = quoted_around(line, each->begin, each->begin + each->bytes);
    cover(line, begin, end);
    covered = begin;
  }
  return line;
}

}  // namespace

std::optional<std::string> Sources::line(const declare::Place& place) {
  if (place.line <= 0) return {};
  auto found = files_.find(place.file);
  if (found == files_.end()) {
    const auto text = read_file(place.file, declare::kMaxDeclaration);
    found = files_.emplace(place.file, text ? split_lines(*text) : std::vector<std::string>()).first;
  }
  const auto index = static_cast<std::size_t>(place.line) - 1;
  if (index >= found->second.size()) return {};
  return found->second[index];
}

Span span_at(std::string_view line, int column) {
  Span span;
  for (int passed = 1; passed < column && span.begin < line.size(); ++passed) {
    ++span.begin;
    while (span.begin < line.size() && continues(line[span.begin])) ++span.begin;
  }
  span.columns_before = characters(line.substr(0, span.begin));
  const std::string_view rest = line.substr(span.begin);
  if (!rest.empty() && (rest.front() == '"' || rest.front() == '\'')) {
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != rest.front()) end += rest[end] == '\\' && rest.front() == '"' ? 2 : 1;
    span.bytes = std::min(end + 1, rest.size());
  } else {
    while (span.bytes < rest.size() && word_letter(rest[span.bytes])) ++span.bytes;
  }
  span.columns = std::max<std::size_t>(1, characters(rest.substr(0, span.bytes)));
  return span;
}

std::string shown_line(std::string_view raw) {
  constexpr std::size_t kMost = 160;
  constexpr std::size_t kLooked = 16 * 1024;  // bytes; of what is longer the begin is shown, and judged, alone
  std::string shown;
  std::size_t count = 0;
  for (const char c : without_secrets(std::string(raw.substr(0, kLooked)))) {
    if (!continues(c) && ++count > kMost) return shown + "…";
    shown += (c >= 0 && c < 0x20) || c == 0x7f ? ' ' : c;
  }
  return shown;
}

std::string uri_of(std::string_view path) {
  constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/@";
  std::string uri;
  for (const char c : path)
    uri += kPlain.find(c) != std::string_view::npos ? std::string(1, c)
                                                    : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  return uri;
}

}  // namespace vmcred::chain
