#include "supervise/rest.h"

#include <poll.h>
#include <sys/socket.h>

#include <charconv>
#include <chrono>
#include <thread>

#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

using std::chrono::steady_clock;

/// A VMM that makes its socket itself needs a moment; one that inherited it listens already.
constexpr std::chrono::seconds kConnectLimit{10};
constexpr std::chrono::milliseconds kConnectPause{2};
constexpr std::chrono::milliseconds kSendLimit{5000};

/// A number that fills `text` up to its first blank.
int number_in(std::string_view text) {
  int number = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() ? number : -1;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

/// The value of Content-Length in a header block, 0 when there is none.
std::size_t content_length(std::string_view head) {
  std::string small(head);
  for (char& c : small) c = lower(c);
  constexpr std::string_view kName = "\r\ncontent-length:";
  const std::size_t at = small.find(kName);
  if (at == std::string::npos) return 0;
  const std::size_t digits = small.find_first_not_of(' ', at + kName.size());
  if (digits == std::string::npos) return 0;
  const int number = number_in(std::string_view(small).substr(digits));
  return number < 0 ? 0 : static_cast<std::size_t>(number);
}

Result<> send_all(const Fd& socket, Bytes bytes) {
  const auto end = steady_clock::now() + kSendLimit;
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      bytes = bytes.subspan(static_cast<std::size_t>(n));
      continue;
    }
    if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return fail_errno("send to the VMM's API");
    if (steady_clock::now() >= end) return fail(Errc::unavailable, "the VMM's API does not read");
    pollfd room = {.fd = socket.get(), .events = POLLOUT, .revents = 0};
    (void)::poll(&room, 1, 100);  // whatever it says, the next send tells
  }
  return {};
}

}  // namespace

Result<std::optional<int>> read_answer(std::string_view bytes) {
  if (bytes.size() > kMaxAnswer) return fail(Errc::invalid_data, "the VMM's API answers with more than {} bytes", kMaxAnswer);
  const std::size_t head_end = bytes.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return std::nullopt;
  const std::string_view head = bytes.substr(0, head_end);
  const std::size_t blank = head.find(' ');
  const int code = head.starts_with("HTTP/1.") && blank != std::string_view::npos ? number_in(head.substr(blank + 1)) : -1;
  if (code < 100 || code > 599) return fail(Errc::invalid_data, "the VMM's API does not answer in HTTP");
  if (bytes.size() < head_end + 4 + content_length(head)) return std::nullopt;
  return code;
}

Result<> RestDriver::connect() {
  TRY_LET(const sockaddr_un address, unix_address(plan_.path));
  const auto end = steady_clock::now() + kConnectLimit;
  for (;;) {
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket) return fail_errno("make a socket");
    if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {  // NOLINT
      socket_ = std::move(socket);
      answer_.clear();
      return {};
    }
    const bool early = errno == ENOENT || errno == ECONNREFUSED;
    if (started_ || !early || steady_clock::now() >= end) return fail_errno("reach the VMM's API at '{}'", plan_.path);
    std::this_thread::sleep_for(kConnectPause);
  }
}

Result<> RestDriver::send(const PreparedRequest& request) {
  if (!socket_) TRY(connect());
  asked_ = fmt::format("{} {}", request.method, request.path);
  const std::string head = fmt::format(
      "{} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
      "Content-Length: {}\r\n\r\n", asked_, request.body.size());
  TRY(send_all(socket_, bytes_of(head)));
  return send_all(socket_, request.body.bytes());
}

Result<> RestDriver::begin() {
  if (plan_.requests.empty()) return fail(Errc::usage, "a REST launch without requests");
  return send(plan_.requests.front());
}

Result<> RestDriver::send_extra(const std::optional<PreparedRequest>& request, std::string_view what) {
  if (!request || !started_) return fail(Errc::unavailable, "this VMM has no request for its {}", what);
  return send(*request);
}

Result<> RestDriver::take(int code, std::vector<DriverEvent>& events) {
  if (started_) return {};  // an attempt to stop; the stop goes on by its clock
  if (code < 200 || code > 299) return fail(Errc::io, "the VMM refused '{}' with status {}", asked_, code);
  plan_.requests.pop_front();  // and with it its body
  if (!plan_.requests.empty()) return send(plan_.requests.front());
  started_ = true;
  events.push_back({DriverEvent::Kind::channel_read});
  events.push_back({DriverEvent::Kind::running});
  return {};
}

Result<std::vector<DriverEvent>> RestDriver::receive() {
  std::vector<DriverEvent> events;
  char buffer[4096];
  while (socket_) {
    const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return events;
    if (n < 0 && errno != ECONNRESET) return fail_errno("read from the VMM's API");
    if (n <= 0) {
      // Some servers close after an answer; the next request connects again.
      socket_ = Fd();
      if (!started_) return fail(Errc::io, "the VMM closed its API before it answered '{}'", asked_);
      return events;
    }
    answer_.append(buffer, static_cast<std::size_t>(n));
    TRY_LET(const auto code, read_answer(answer_));
    if (!code) continue;
    answer_.clear();  // we never send two requests at once, so nothing follows
    TRY(take(*code, events));
  }
  return events;
}

}  // namespace vmcred::supervise
