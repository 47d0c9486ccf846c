// HTTP/1.1 messages (RFC 9112) as far as the APIs of VMMs use it: a start line, headers, a body by Content-Length.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vmcred::supervise {

inline constexpr std::size_t kMaxHttpHead = 8 * 1024;

/// One whole message.
struct HttpMessage {
  std::string start;  ///< the request line or the status line
  std::string body = {};
  std::size_t size = 0;  ///< bytes of the stream that it took
};

/// The message that `bytes` begin with; nothing while it is not whole. `invalid_data`: a head over the limit or with a
/// control character, a body over `max_body`, a transfer coding, more than one Content-Length or none that is a number.
/// (RFC 9112 §11.2: what two parsers read differently must not pass.)
Result<std::optional<HttpMessage>> read_http(std::string_view bytes, std::size_t max_body);

struct HttpRequest {
  std::string method = {};
  std::string target;
  std::string body = {};
};
/// "PUT /api/v1/vm.boot HTTP/1.1" taken apart: an upper-case word and a path without queries, escapes and dots.
Result<HttpRequest> request_of(HttpMessage message);

/// The status code of an answer.
Result<int> status_of(const HttpMessage& message);

}  // namespace vmcred::supervise
