#include "age/header.h"

#include <algorithm>
#include <utility>

#include "base/base64.h"
#include "base/sha256.h"

namespace vmcred::age {
namespace {

constexpr std::string_view kVersionLine = "age-encryption.org/v1";
constexpr std::string_view kStanzaPrefix = "-> ";
constexpr std::string_view kMacPrefix = "---";
constexpr std::size_t kColumns = 64;

/// Takes a line without its '\n'.
Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return fail(Errc::invalid_data, "the age header is cut short");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

bool is_argument(std::string_view word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= 33 && c <= 126; });
}

std::array<std::uint8_t, 32> header_mac(std::string_view authenticated, Bytes file_key) {
  const Secret key = hkdf_sha256(file_key, {}, bytes_of("header"));
  return hmac_sha256(key.bytes(), {bytes_of(authenticated)});
}

}  // namespace

Result<Stanza> take_stanza(std::string_view& text) {
  TRY_LET(std::string_view line, take_line(text));
  if (!line.starts_with(kStanzaPrefix)) return fail(Errc::invalid_data, "a line of the age header begins no stanza");
  line.remove_prefix(kStanzaPrefix.size());
  Stanza stanza;
  for (bool first = true;; first = false) {
    const std::size_t space = line.find(' ');
    const std::string_view word = line.substr(0, space);
    if (!is_argument(word)) return fail(Errc::invalid_data, "a stanza of the age header has a malformed argument");
    if (first) {
      stanza.type = word;
    } else {
      stanza.arguments.emplace_back(word);
    }
    if (space == std::string_view::npos) break;
    line.remove_prefix(space + 1);
  }
  while (true) {
    TRY_LET(const std::string_view column, take_line(text));
    if (column.size() > kColumns) return fail(Errc::invalid_data, "a stanza of the age header has too long a line");
    TRY_LET(const std::string bytes, in("stanza of the age header", base64_decode(column, Padding::without)));
    stanza.body += bytes;
    if (column.size() < kColumns) return stanza;
  }
}

void append_stanza(std::string& out, const Stanza& stanza) {
  out += kStanzaPrefix;
  out += stanza.type;
  for (const std::string& argument : stanza.arguments) {
    out += ' ';
    out += argument;
  }
  out += '\n';
  const std::string body = base64_encode(bytes_of(stanza.body), Padding::without);
  for (std::size_t at = 0; at <= body.size(); at += kColumns) {  // a full last line is followed by an empty one
    out += std::string_view(body).substr(at, kColumns);
    out += '\n';
  }
}

Result<ParsedHeader> parse_header(std::string_view file) {
  std::string_view rest = file.substr(0, kMaxHeader);
  const std::size_t limit = rest.size();
  const bool whole = limit == file.size();
  const auto too_long = [&](const Error& error) {
    return whole ? Failure(error) : fail(Errc::invalid_data, "the age header is longer than {} bytes", kMaxHeader);
  };
  auto version = take_line(rest);
  if (!version || *version != kVersionLine) return fail(Errc::invalid_data, "this is no age v1 file");
  ParsedHeader parsed;
  while (!rest.starts_with(kMacPrefix)) {
    if (parsed.header.stanzas.size() == kMaxStanzas) {
      return fail(Errc::invalid_data, "the age header has more than {} stanzas", kMaxStanzas);
    }
    auto stanza = take_stanza(rest);
    if (!stanza) return rest.find('\n') == std::string_view::npos ? too_long(stanza.error()) : Failure(stanza.error());
    parsed.header.stanzas.push_back(*std::move(stanza));
  }
  if (parsed.header.stanzas.empty()) return fail(Errc::invalid_data, "the age header has no stanza");
  parsed.authenticated = file.substr(0, limit - rest.size() + kMacPrefix.size());
  auto line = take_line(rest);
  if (!line) return too_long(line.error());
  line->remove_prefix(kMacPrefix.size());
  if (!line->starts_with(' ')) return fail(Errc::invalid_data, "the age header has a malformed MAC line");
  TRY_LET(const std::string mac, in("MAC of the age header", base64_decode(line->substr(1), Padding::without)));
  if (mac.size() != parsed.header.mac.size()) return fail(Errc::invalid_data, "the age header's MAC has a wrong size");
  std::ranges::copy(bytes_of(mac), parsed.header.mac.begin());
  parsed.payload = file.substr(limit - rest.size());
  return parsed;
}

std::string write_header(std::span<const Stanza> stanzas, Bytes file_key) {
  std::string out(kVersionLine);
  out += '\n';
  for (const Stanza& stanza : stanzas) append_stanza(out, stanza);
  out += kMacPrefix;
  const std::array<std::uint8_t, 32> mac = header_mac(out, file_key);
  out += ' ';
  out += base64_encode(mac, Padding::without);
  out += '\n';
  return out;
}

Result<> check_mac(const ParsedHeader& parsed, Bytes file_key) {
  if (equal_in_constant_time(header_mac(parsed.authenticated, file_key), parsed.header.mac)) return {};
  return fail(Errc::mismatch, "the age header was changed: its MAC is wrong");
}

}  // namespace vmcred::age
