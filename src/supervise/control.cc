#include "supervise/control.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/file.h"
#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

const sockaddr* raw(const sockaddr_un& address) { return reinterpret_cast<const sockaddr*>(&address); }  // NOLINT

/// Reads what is there now, and keeps a descriptor that comes along where `passed` is given. False: the peer is gone or
/// sent a line that is too long.
bool read_lines(const Fd& socket, LineReader& reader, std::vector<std::string>& lines, Fd* passed = nullptr) {
  char buffer[4096];
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))];
  for (;;) {
    iovec part = {.iov_base = buffer, .iov_len = sizeof buffer};
    msghdr message = {};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    if (passed != nullptr) {
      message.msg_control = control;
      message.msg_controllen = CMSG_LEN(sizeof(int));  // the padding would take in a second one, which nobody closes
    }
    const ssize_t n = ::recvmsg(socket.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return true;
    if (n <= 0) return false;
    const cmsghdr* const header = CMSG_FIRSTHDR(&message);
    if (header != nullptr && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
      int raw_fd = -1;
      std::memcpy(&raw_fd, CMSG_DATA(header), sizeof raw_fd);
      *passed = Fd(raw_fd);
    }
    auto found = reader.feed({buffer, static_cast<std::size_t>(n)});
    if (!found) return false;
    for (std::string& line : *found) lines.push_back(std::move(line));
  }
}

}  // namespace

Result<ControlServer> ControlServer::listen(const std::string& path) {
  TRY_LET(Fd socket, listen_on(path, static_cast<int>(kMaxControlClients)));
  return ControlServer(std::move(socket));
}

std::vector<int> ControlServer::descriptors() const {
  std::vector<int> all = {listener_.get()};
  for (const Client& client : clients_) all.push_back(client.socket.get());
  return all;
}

void ControlServer::accept_all() {
  for (;;) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) return;
    if (clients_.size() >= kMaxControlClients || !peer_may_ask(socket)) continue;
    clients_.push_back({next_id_++, std::move(socket), LineReader(kMaxControlLine), Fd()});
  }
}

std::vector<ControlServer::Request> ControlServer::receive() {
  std::vector<Request> requests;
  accept_all();
  std::erase_if(clients_, [&](Client& client) {
    std::vector<std::string> lines;
    bool gone = !read_lines(client.socket, client.lines, lines, &client.passed);
    for (const std::string& line : lines) {
      auto json = parse_json(line, {.max_bytes = kMaxControlLine, .max_depth = 8});
      if (!json) {
        gone = true;
        break;
      }
      requests.push_back({client.id, *std::move(json), std::move(client.passed)});
    }
    return gone;
  });
  return requests;
}

void ControlServer::answer(std::uint64_t client, const Json& json) {
  const auto found = std::ranges::find(clients_, client, &Client::id);
  if (found == clients_.end()) return;
  const std::string line = dump_json(json) + "\n";
  const ssize_t n = ::send(found->socket.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (n != static_cast<ssize_t>(line.size())) clients_.erase(found);  // it does not read: its loss
}

Result<ControlClient> ControlClient::connect(const std::string& folder) {
  const std::string path = join_path(folder, "control");
  TRY_LET(const sockaddr_un address, unix_address(path));
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket) return fail_errno("make a socket");
  if (::connect(socket.get(), raw(address), sizeof address) != 0) {
    if (errno == ECONNREFUSED)
      return fail(Errc::unavailable, "nobody answers on '{}': its supervisor was killed", path);
    return fail_errno("ask '{}'", path);
  }
  return ControlClient(std::move(socket));
}

Result<Json> ControlClient::next(std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (pending_.empty()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    pollfd watched = {.fd = socket_.get(), .events = POLLIN, .revents = 0};
    const int n = ::poll(&watched, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_errno("wait for the supervisor");
    if (n == 0) return fail(Errc::unavailable, "the supervisor does not answer");
    if (!read_lines(socket_, lines_, pending_) && pending_.empty()) {
      return fail(Errc::unavailable, "the supervisor closed the connection");
    }
  }
  const std::string line = std::move(pending_.front());
  pending_.erase(pending_.begin());
  return in("read the supervisor's answer", parse_json(line, {.max_bytes = kMaxQmpLine}));
}

Result<> ControlClient::send(const Json& request, const Fd* passed) {
  std::string line = dump_json(request) + "\n";
  iovec part = {.iov_base = line.data(), .iov_len = line.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (passed != nullptr) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int raw_fd = passed->get();
    std::memcpy(CMSG_DATA(header), &raw_fd, sizeof raw_fd);
  }
  if (::sendmsg(socket_.get(), &message, MSG_NOSIGNAL) != static_cast<ssize_t>(line.size())) {
    return fail_errno("ask the supervisor");
  }
  return {};
}

Result<Json> ControlClient::ask(const Json& request, std::chrono::milliseconds limit, const Fd* passed) {
  TRY(send(request, passed));
  return next(limit);
}

}  // namespace vmcred::supervise
