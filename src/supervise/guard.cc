#include "supervise/guard.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>

#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

using Protocol = vmm::Guard::Protocol;

/// So much is read from one client in one turn, and so much may wait to be understood.
constexpr std::size_t kReadAtOnce = 16 * 1024;
/// Nor are more of its requests taken up.
constexpr int kRequestsAtOnce = 8;
constexpr std::size_t kMaxPending = kMaxGuardBody + kMaxHttpHead + kReadAtOnce;

Result<> check_place(const std::string& path) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0 || S_ISSOCK(status.st_mode)) return {};
  return hint(fail(Errc::usage, "'{}' cannot become the guard's socket: something else is there", path),
              "give the VMM's control socket another path");
}

}  // namespace

Result<Guard> Guard::open(const std::vector<vmm::Guard>& doors, const vmm::GuardRules& rules, Behind behind) {
  Guard guard;
  guard.rules_ = rules;
  guard.behind_ = std::move(behind);
  if (guard.behind_.monitor) TRY(set_nonblocking(guard.behind_.monitor, true));
  for (const vmm::Guard& door : doors) {
    TRY(check_place(door.path));
    TRY_LET(Fd listener, listen_on(door.path));
    guard.doors_.push_back({door.protocol, door.path, std::move(listener)});
  }
  return guard;
}

Guard& Guard::operator=(Guard&& other) noexcept {
  // The old sockets go with `other`, unless the new ones took their places.
  std::swap(doors_, other.doors_);
  for (const Door& door : doors_) std::erase_if(other.doors_, [&](const Door& old) { return old.path == door.path; });
  rules_ = std::move(other.rules_);
  behind_ = std::move(other.behind_);
  open_ = other.open_;
  power_pressed_ = other.power_pressed_;
  clients_ = std::move(other.clients_);
  refusals_ = std::move(other.refusals_);
  monitor_lines_ = std::move(other.monitor_lines_);
  monitor_out_ = std::move(other.monitor_out_);
  greeting_ = std::move(other.greeting_);
  negotiated_ = other.negotiated_;
  tickets_ = std::move(other.tickets_);
  return *this;
}

Guard::~Guard() {
  for (const Door& door : doors_) (void)::unlink(door.path.c_str());  // somebody may have removed it already
}

void Guard::watch(std::vector<pollfd>& into) const {
  const auto add = [&into](const Fd& fd, bool read, bool write) {
    const int events = (read ? POLLIN : 0) | (write ? POLLOUT : 0);
    // Without events a closed peer would wake us again and again.
    if (fd && events != 0) into.push_back({.fd = fd.get(), .events = static_cast<short>(events), .revents = 0});
  };
  add(behind_.monitor, true, !monitor_out_.empty());
  if (!open_) return;
  for (const Door& door : doors_) add(door.listener, true, false);
  for (const Client& client : clients_) {
    add(client.socket, !client.waiting && !client.heard_all, !client.out.empty());
    if (client.call) add(client.call->socket, true, !client.call->out.empty());
  }
}

void Guard::accept_all() {
  for (const Door& door : doors_) {
    for (std::size_t i = 0; i < kMaxGuardClients; ++i) {
      Fd socket(::accept4(door.listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (!socket) break;
      if (!peer_may_ask(socket)) continue;
      if (clients_.size() >= kMaxGuardClients) {
        const auto idle = std::ranges::find(clients_, false, &Client::waiting);
        if (idle == clients_.end()) continue;
        clients_.erase(idle);
      }
      clients_.push_back({.id = next_id_++, .protocol = door.protocol, .socket = std::move(socket)});
    }
  }
}

void Guard::read_from(Client& client) {
  char buffer[kReadAtOnce];
  if (client.waiting || client.heard_all || client.in.size() >= kMaxPending) return;
  const ssize_t n = ::recv(client.socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (n > 0) {
    client.in.append(buffer, static_cast<std::size_t>(n));
  } else if (n == 0) {
    client.heard_all = true;
  } else if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) {
    client.gone = true;
  }
}

void Guard::write_to(Client& client) {
  while (!client.out.empty() && !client.gone) {
    const ssize_t n = ::send(client.socket.get(), client.out.data(), client.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      client.out.erase(0, static_cast<std::size_t>(n));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      break;
    } else if (errno != EINTR) {
      client.gone = true;
    }
  }
  if (client.out.size() > kMaxGuardUnread) client.gone = true;
}

bool Guard::has_more() const { return open_ && std::ranges::any_of(clients_, &Client::has_more); }

void Guard::serve(Client& client) {
  client.has_more = false;
  for (int i = 0; i < kRequestsAtOnce && !client.waiting && !client.gone; ++i) {
    if (!serve_one(client)) return;
  }
  client.has_more = !client.waiting && !client.gone;
}

bool Guard::serve_one(Client& client) {
  switch (client.protocol) {
    case Protocol::qmp:
      return serve_qmp(client);
    case Protocol::hmp:
      return serve_hmp(client);
    case Protocol::rest:
      return serve_rest(client);
  }
  return false;
}

std::vector<std::string> Guard::turn() {
  read_monitor();
  if (open_) {
    accept_all();
    for (Client& client : clients_) {
      read_from(client);
      if (client.call) go_on_with_call(client);
      if (!client.gone) serve(client);
      write_to(client);
      const bool idle = !client.waiting && !client.has_more && client.out.empty();
      if (client.heard_all && idle) client.gone = true;
    }
    std::erase_if(clients_, [](const Client& client) { return client.gone; });
  }
  write_monitor();
  return std::exchange(refusals_, {});
}

}  // namespace vmcred::supervise
