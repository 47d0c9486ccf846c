#include "supervise/rest.h"

#include <poll.h>
#include <sys/socket.h>

#include <chrono>
#include <cstring>
#include <thread>

#include "base/json.h"
#include "supervise/http.h"
#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

using std::chrono::steady_clock;

/// A VMM that makes its socket itself needs a moment; one that inherited it listens already.
constexpr std::chrono::seconds kConnectLimit{10};
constexpr std::chrono::milliseconds kConnectPause{2};
constexpr std::chrono::milliseconds kSendLimit{5000};
/// SCM_MAX_FD of Linux.
constexpr std::size_t kMaxFds = 253;

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

Result<> send_with_fds(const Fd& socket, std::string_view head, const std::vector<int>& fds) {
  if (fds.size() > kMaxFds) return fail(Errc::usage, "more than {} descriptors for one request", kMaxFds);
  std::string bytes(head);
  iovec part = {.iov_base = bytes.data(), .iov_len = bytes.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(kMaxFds * sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
  std::memcpy(CMSG_DATA(header), fds.data(), fds.size() * sizeof(int));
  const ssize_t n = ::sendmsg(socket.get(), &message, MSG_NOSIGNAL);
  if (n < 0) return fail_errno("send descriptors to the VMM's API");
  return send_all(socket, bytes_of(head).subspan(static_cast<std::size_t>(n)));
}

}  // namespace

Result<std::optional<Answer>> read_answer(std::string_view bytes) {
  TRY_LET(auto message, in("read the VMM's answer", read_http(bytes, kMaxAnswer)));
  if (!message) return std::nullopt;
  TRY_LET(const int status, in("read the VMM's answer", status_of(*message)));
  return Answer{status, std::move(message->body)};
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
      "Content-Length: {}\r\n\r\n",
      asked_, request.body.size());
  // A fresh socket takes the head in one piece, and the descriptors with its first byte.
  TRY(request.fds.empty() ? send_all(socket_, bytes_of(head)) : send_with_fds(socket_, head, request.fds));
  return send_all(socket_, request.body.bytes());
}

Result<> RestDriver::begin() {
  if (plan_.requests.empty()) return fail(Errc::usage, "a REST launch without requests");
  if (plan_.version.path.empty()) return send(plan_.requests.front());
  asks_version_ = true;
  return send({.method = "GET", .path = plan_.version.path});
}

Result<> RestDriver::send_extra(const std::optional<PreparedRequest>& request, std::string_view what) {
  if (!request || !started_) return fail(Errc::unavailable, "this VMM has no request for its {}", what);
  return send(*request);
}

Result<> RestDriver::take(const Answer& answer, std::vector<DriverEvent>& events) {
  if (started_) return {};  // an attempt to stop; the stop goes on by its clock
  if (answer.status < 200 || answer.status > 299) {
    const std::string reason = plan_.explain ? plan_.explain(answer.body) : "";
    return fail(Errc::io, "the VMM refused '{}' with status {}{}{}", asked_, answer.status, reason.empty() ? "" : ": ",
                reason);
  }
  if (std::exchange(asks_version_, false)) {
    // A VMM that names none is one that is not known; the plan has the tightest limits for it.
    const auto json = parse_json(answer.body, {.max_bytes = kMaxAnswer, .max_depth = 16});
    const std::string version = json ? json->string_at(plan_.version.member) : "";
    if (!version.empty() && plan_.check_version) TRY(plan_.check_version(version));
    return send(plan_.requests.front());
  }
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
    TRY_LET(const auto answer, read_answer(answer_));
    if (!answer) continue;
    answer_.clear();  // we never send two requests at once, so nothing follows
    TRY(take(*answer, events));
  }
  return events;
}

}  // namespace vmcred::supervise
