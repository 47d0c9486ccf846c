#include "supervise/http.h"

#include <algorithm>
#include <charconv>

namespace vmcred::supervise {
namespace {

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kVersion = " HTTP/1.1";

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool is_named(std::string_view line, std::string_view name) {
  return line.size() > name.size() && line[name.size()] == ':' &&
         std::ranges::equal(line.substr(0, name.size()), name, {}, lower);
}

std::string_view value_in(std::string_view line) {
  line.remove_prefix(line.find(':') + 1);
  while (line.starts_with(' ') || line.starts_with('\t')) line.remove_prefix(1);
  while (line.ends_with(' ') || line.ends_with('\t')) line.remove_suffix(1);
  return line;
}

Result<std::size_t> number_in(std::string_view text) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return fail(Errc::invalid_data, "an HTTP message without a usable length");
  }
  return number;
}

/// The length of the body that a head announces.
Result<std::size_t> body_size(std::string_view head) {
  std::optional<std::size_t> length;
  for (std::size_t at = head.find("\r\n"); at != std::string_view::npos; at = head.find("\r\n", at + 2)) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.starts_with(' ') || line.starts_with('\t'))
      return fail(Errc::invalid_data, "an HTTP header over several lines");
    if (is_named(line, "transfer-encoding")) return fail(Errc::invalid_data, "an HTTP message with a transfer coding");
    if (!is_named(line, "content-length")) continue;
    if (length) return fail(Errc::invalid_data, "an HTTP message with two lengths");
    TRY_LET(length, number_in(value_in(line)));
  }
  return length.value_or(0);
}

bool plain(char c) { return c == '\r' || c == '\n' || c == '\t' || (c >= ' ' && c <= '~'); }

}  // namespace

Result<std::optional<HttpMessage>> read_http(std::string_view bytes, std::size_t max_body) {
  const std::size_t end = bytes.substr(0, kMaxHttpHead + kHeadEnd.size()).find(kHeadEnd);
  const std::string_view head = bytes.substr(0, std::min({end, bytes.size(), kMaxHttpHead}));
  if (!std::ranges::all_of(head, plain)) return fail(Errc::invalid_data, "this is not HTTP");
  if (end == std::string_view::npos) {
    if (bytes.size() > kMaxHttpHead)
      return fail(Errc::invalid_data, "an HTTP head of more than {} bytes", kMaxHttpHead);
    return std::nullopt;
  }
  TRY_LET(const std::size_t length, body_size(head));
  if (length > max_body) return fail(Errc::invalid_data, "an HTTP body of more than {} bytes", max_body);
  const std::size_t size = end + kHeadEnd.size() + length;
  if (bytes.size() < size) return std::nullopt;
  return HttpMessage{.start = std::string(head.substr(0, head.find("\r\n"))),
                     .body = std::string(bytes.substr(end + kHeadEnd.size(), length)),
                     .size = size};
}

Result<HttpRequest> request_of(HttpMessage message) {
  const std::string_view line = message.start;
  const std::size_t blank = line.find(' ');
  if (blank == std::string_view::npos || !line.ends_with(kVersion) || line.size() < blank + 1 + kVersion.size()) {
    return fail(Errc::invalid_data, "this is not an HTTP/1.1 request");
  }
  HttpRequest request = {.method = std::string(line.substr(0, blank)),
                         .target = std::string(line.substr(blank + 1, line.size() - blank - 1 - kVersion.size())),
                         .body = std::move(message.body)};
  const bool word = std::ranges::all_of(request.method, [](char c) { return c >= 'A' && c <= 'Z'; });
  const bool path = request.target.starts_with('/') && request.target.find_first_of(" ?#%\\") == std::string::npos &&
                    !request.target.contains("..") && !request.target.contains("//");
  if (request.method.empty() || !word || !path)
    return fail(Errc::invalid_data, "this is not a request that a VMM takes");
  return request;
}

Result<int> status_of(const HttpMessage& message) {
  const std::string_view line = message.start;
  int code = 0;
  const std::size_t blank = line.find(' ');
  if (!line.starts_with("HTTP/1.") || blank == std::string_view::npos)
    return fail(Errc::invalid_data, "this is not HTTP");
  const auto [end, error] = std::from_chars(line.data() + blank + 1, line.data() + line.size(), code);
  if (error != std::errc() || code < 100 || code > 599) return fail(Errc::invalid_data, "this is not HTTP");
  return code;
}

}  // namespace vmcred::supervise
