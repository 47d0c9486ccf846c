// The guard's clients of QEMU's monitor: each has a session of its own, all share one monitor of QEMU's.
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

#include "supervise/guard.h"

namespace vmcred::supervise {
namespace {

using Protocol = vmm::Guard::Protocol;

/// Not more of the monitor's output in one turn.
constexpr int kReadsAtOnce = 16;
constexpr std::string_view kPrompt = "(qemu) ";
constexpr std::string_view kTicketPrefix = "guard-";

std::string with_id(Json answer, const std::optional<Json>& id) {
  if (id) answer.set("id", *id);
  return dump_json(answer) + "\r\n";
}

Json error_of(std::string_view text) {
  Json error = Json::object();
  error.set("class", "GenericError").set("desc", text);
  return Json::object().set("error", std::move(error));
}

std::optional<std::uint64_t> ticket_of(std::string_view id) {
  if (!id.starts_with(kTicketPrefix)) return std::nullopt;
  id.remove_prefix(kTicketPrefix.size());
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error != std::errc() || end != id.data() + id.size()) return std::nullopt;
  return number;
}

}  // namespace

bool Guard::serve_qmp(Client& client) {
  if (!client.greeted) {
    if (greeting_.empty()) return false;
    client.out += greeting_ + "\r\n";
    client.greeted = true;
  }
  const auto object = take_object(client.in);
  if (!object) {
    client.out += with_id(error_of(object.error().message), {});
    client.in.clear();
    client.heard_all = true;  // what follows cannot be told apart any more
    return false;
  }
  if (!*object) return false;
  const Spoken spoken = judge_qmp(**object, rules_);
  if (!spoken.refused.empty()) {
    client.out += with_id(error_of(spoken.refused), spoken.id);
    refusals_.push_back(spoken.refused);
  } else if (spoken.command == "qmp_capabilities") {
    client.negotiated = true;
    client.out += with_id(Json::object().set("return", Json::object()), spoken.id);
  } else if (!client.negotiated) {
    client.out += with_id(error_of("expecting capabilities negotiation with 'qmp_capabilities'"), spoken.id);
  } else {
    ask_monitor(client, spoken);
  }
  return true;
}

bool Guard::serve_hmp(Client& client) {
  if (!client.greeted) client.out += fmt::format("A guarded monitor: few commands pass.\r\n{}", kPrompt);
  client.greeted = true;
  const auto line = take_line(client.in);
  if (!line) client.gone = true;
  if (!line || !*line) return false;
  const Spoken spoken = judge_hmp(**line, rules_);
  if (!spoken.refused.empty()) {
    client.out += fmt::format("Error: {}\r\n{}", spoken.refused, kPrompt);
    refusals_.push_back(spoken.refused);
  } else if (spoken.command.empty()) {
    client.out += kPrompt;
  } else {
    ask_monitor(client, spoken);
  }
  return true;
}

void Guard::ask_monitor(Client& client, const Spoken& spoken) {
  if (spoken.command == "system_powerdown" || spoken.command == "input-send-event") power_pressed_ = true;
  const std::uint64_t number = next_ticket_++;
  tickets_[number] = {.client = client.id, .command = spoken.command, .id = spoken.id};
  monitor_out_ +=
      fmt::format(R"({{"execute":"{}"{},"id":"{}{}"}})", spoken.command,
                  spoken.arguments.empty() ? "" : R"(,"arguments":)" + spoken.arguments, kTicketPrefix, number);
  monitor_out_ += '\n';
  client.waiting = true;
}

void Guard::take_monitor_line(const std::string& line) {
  const auto message = parse_qmp(line);
  if (!message) return close_monitor();
  if (message->kind == QmpMessage::Kind::greeting) {
    greeting_ = line;
    monitor_out_ += "{\"execute\":\"qmp_capabilities\",\"id\":\"negotiate\"}\n";
    return;
  }
  if (message->kind == QmpMessage::Kind::event) {
    for (Client& client : clients_) {
      if (client.protocol == Protocol::qmp && client.negotiated) client.out += line + "\r\n";
    }
    return;
  }
  const auto number = ticket_of(message->id);
  const auto ticket = number ? tickets_.find(*number) : tickets_.end();
  if (ticket == tickets_.end()) return;
  const Ticket whose = std::move(ticket->second);
  tickets_.erase(ticket);
  const auto client = std::ranges::find(clients_, whose.client, &Client::id);
  if (client == clients_.end()) return;
  client->waiting = false;
  const bool failed = message->kind == QmpMessage::Kind::error;
  if (client->protocol == Protocol::hmp) {
    client->out += failed ? fmt::format("Error: {}\r\n", message->name) : hmp_answer(whose.command, message->data);
    client->out += kPrompt;
    return;
  }
  Json answer = failed ? error_of(message->name) : Json::object().set("return", message->data);
  hide(answer, rules_.hidden);
  client->out += with_id(std::move(answer), whose.id);
}

void Guard::read_monitor() {
  char buffer[16 * 1024];
  for (int i = 0; i < kReadsAtOnce && behind_.monitor; ++i) {
    const ssize_t n = ::recv(behind_.monitor.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n <= 0) return close_monitor();
    const auto lines = monitor_lines_.feed({buffer, static_cast<std::size_t>(n)});
    if (!lines) return close_monitor();
    for (const std::string& line : *lines) take_monitor_line(line);
  }
}

void Guard::write_monitor() {
  while (behind_.monitor && !monitor_out_.empty()) {
    const ssize_t n =
        ::send(behind_.monitor.get(), monitor_out_.data(), monitor_out_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n > 0) {
      monitor_out_.erase(0, static_cast<std::size_t>(n));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != EINTR) {
      return close_monitor();
    }
  }
}

void Guard::close_monitor() {
  behind_.monitor = Fd();
  monitor_out_.clear();
  for (Client& client : clients_) {
    if (client.protocol == Protocol::rest) continue;
    client.in.clear();
    client.waiting = false;
    client.heard_all = true;  // an answer of the same turn still goes out
  }
}

}  // namespace vmcred::supervise
