// The guard's clients of a REST API: each request that passes gets a connection of its own to the VMM.
#include <sys/socket.h>

#include "supervise/guard.h"
#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

/// As the API behind the guard tells its errors: Firecracker in an object, cloud-hypervisor as a list, outermost first.
std::string error_body(const vmm::GuardRules& rules, std::string_view text) {
  if (!rules.error_member.empty()) return dump_json(Json::object().set(rules.error_member, text));
  return dump_json(Json::array().push(text));
}

}  // namespace

void Guard::answer_error(Client& client, int code, std::string_view text) const {
  answer_http(client, code, error_body(rules_, text));
}

void Guard::answer_http(Client& client, int code, const std::string& body) {
  // No reason phrase, as from the micro_http of both VMMs: ch-remote takes all that follows "HTTP/1.1 " for a number.
  client.out += fmt::format("HTTP/1.1 {} \r\nServer: vmcred guard\r\nConnection: keep-alive\r\n", code);
  if (!body.empty()) client.out += "Content-Type: application/json\r\n";
  if (code != 204) client.out += fmt::format("Content-Length: {}\r\n", body.size());
  client.out += "\r\n" + body;
  client.waiting = false;
  client.call.reset();
}

bool Guard::serve_rest(Client& client) {
  auto message = read_http(client.in, kMaxGuardBody);
  if (message && !*message) return false;
  const std::size_t size = message ? (*message)->size : 0;
  const auto request =
      message ? request_of(**std::move(message)) : Result<HttpRequest>(std::unexpected(message.error()));
  if (!request) {
    answer_error(client, 400, request.error().message);
    client.in.clear();
    client.heard_all = true;  // where the next request begins is not known
    return false;
  }
  client.in.erase(0, size);
  if (passes(*request, rules_)) {
    begin_call(client, *request);
    return true;
  }
  refusals_.push_back(
      fmt::format("the guard of this vm does not let '{}' through", loggable(request->method + " " + request->target)));
  answer_error(client, 403, refusals_.back());
  return true;
}

void Guard::begin_call(Client& client, const HttpRequest& request) {
  const auto address = unix_address(behind_.api);
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!address || !socket ||
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address) != 0) {  // NOLINT
    return answer_error(client, 502, "the VMM's API cannot be reached");
  }
  if (request.method + " " + request.target == rules_.power && request.body.contains(rules_.power_word))
    power_pressed_ = true;
  client.waiting = true;
  client.call = Call{.socket = std::move(socket),
                     .out = fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n"
                                        "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
                                        request.method, request.target, request.body.size(), request.body)};
}

void Guard::go_on_with_call(Client& client) {
  Call& call = *client.call;
  while (!call.out.empty()) {
    const ssize_t n = ::send(call.socket.get(), call.out.data(), call.out.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) break;
    if (n <= 0) return answer_error(client, 502, "the VMM's API does not read");
    call.out.erase(0, static_cast<std::size_t>(n));
  }
  char buffer[16 * 1024];
  const ssize_t n = ::recv(call.socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (n <= 0) return answer_error(client, 502, "the VMM's API closed the connection");
  call.in.append(buffer, static_cast<std::size_t>(n));
  const auto message = read_http(call.in, kMaxGuardAnswer);
  if (message && !*message) return;
  const auto code = message ? status_of(**message) : Result<int>(std::unexpected(message.error()));
  if (!code) return answer_error(client, 502, "the VMM's API does not answer in HTTP");
  if ((*message)->body.empty()) return answer_http(client, *code, "");
  // What cannot be read cannot be searched for what must stay hidden.
  auto json = parse_json((*message)->body, {.max_bytes = kMaxGuardAnswer});
  if (!json) return answer_error(client, *code, "the VMM's answer is no JSON");
  hide(*json, rules_.hidden);
  answer_http(client, *code, dump_json(*json));
}

}  // namespace vmcred::supervise
