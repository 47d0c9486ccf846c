#include "supervise/qmp.h"

#include <sys/socket.h>

namespace vmcred::supervise {
namespace {

GuestEnd end_of(const std::string& reason) {
  // QEMU 7.2 qapi/run-state.json, ShutdownCause.
  if (reason == "guest-shutdown") return GuestEnd::powered_off;
  if (reason == "guest-reset" || reason == "subsystem-reset") return GuestEnd::reset;
  if (reason == "guest-panic") return GuestEnd::panicked;
  if (reason.starts_with("host-")) return GuestEnd::host_asked;
  return GuestEnd::unknown;
}

/// "7.2.22"; empty where the greeting has no such version.
std::string version_of(const Json& qemu) {
  std::string text;
  for (const char* const name : {"major", "minor", "micro"}) {
    const Json* const part = qemu.find(name);
    const auto* const number = part != nullptr ? part->if_integer() : nullptr;
    if (number == nullptr) return {};
    text += fmt::format("{}{}", text.empty() ? "" : ".", *number);
  }
  return text;
}

}  // namespace

std::string_view guest_end_text(GuestEnd end) {
  switch (end) {
    case GuestEnd::powered_off:
      return "the guest powered off";
    case GuestEnd::reset:
      return "the guest rebooted";
    case GuestEnd::panicked:
      return "the guest's kernel panicked";
    case GuestEnd::host_asked:
      return "the VMM was told to end";
    case GuestEnd::unknown:
      break;
  }
  return "the guest stopped for an unknown reason";
}

Result<QmpMessage> parse_qmp(std::string_view line) {
  TRY_LET(const Json json, parse_json(line, {.max_bytes = kMaxQmpLine, .max_depth = 64}));
  QmpMessage message = {.kind = QmpMessage::Kind::greeting, .id = json.string_at("id")};
  if (const Json* const greeting = json.find("QMP")) {
    const Json* const version = greeting->find("version");
    const Json* const qemu = version != nullptr ? version->find("qemu") : nullptr;
    if (qemu != nullptr) message.data = *qemu;
    return message;
  }
  if (const Json* const value = json.find("return")) {
    message.kind = QmpMessage::Kind::reply;
    message.data = *value;
    return message;
  }
  if (const Json* const error = json.find("error")) {
    message.kind = QmpMessage::Kind::error;
    message.name = error->string_at("desc");
    return message;
  }
  message.kind = QmpMessage::Kind::event;
  message.name = json.string_at("event");
  if (message.name.empty()) return fail(Errc::invalid_data, "a QMP message of an unknown kind");
  if (const Json* const data = json.find("data")) message.data = *data;
  return message;
}

Result<std::vector<std::string>> LineReader::feed(std::string_view bytes) {
  std::vector<std::string> lines;
  for (std::size_t end = bytes.find('\n'); end != std::string_view::npos; end = bytes.find('\n')) {
    std::string line = std::exchange(partial_, {});
    line += bytes.substr(0, end);
    bytes.remove_prefix(end + 1);
    if (line.size() > max_line_) return fail(Errc::invalid_data, "a line of more than {} bytes", max_line_);
    if (line.ends_with('\r')) line.pop_back();
    if (!line.empty()) lines.push_back(std::move(line));
  }
  if (partial_.size() + bytes.size() > max_line_) {
    return fail(Errc::invalid_data, "a line of more than {} bytes", max_line_);
  }
  partial_ += bytes;
  return lines;
}

Result<> QmpDriver::begin() { return set_nonblocking(socket_, true); }

Result<> QmpDriver::send(std::string_view command, std::string_view arguments) {
  // Our commands are short and few: the socket's buffer takes them whole, so that nothing needs a queue.
  const std::string line =
      arguments.empty() ? fmt::format("{{\"execute\":\"{0}\",\"id\":\"{0}\"}}\n", command)
                        : fmt::format("{{\"execute\":\"{0}\",\"arguments\":{1},\"id\":\"{0}\"}}\n", command, arguments);
  const ssize_t n = ::send(socket_.get(), line.data(), line.size(), MSG_NOSIGNAL);
  if (n < 0) return fail_errno("send '{}' to QEMU", command);
  if (static_cast<std::size_t>(n) != line.size()) return fail(Errc::io, "send '{}' to QEMU: it does not read", command);
  return {};
}

Result<> QmpDriver::take(const QmpMessage& message, std::vector<DriverEvent>& events) {
  switch (message.kind) {
    case QmpMessage::Kind::greeting:
      if (const std::string version = version_of(message.data); check_version_ && !version.empty())
        TRY(check_version_(version));
      return send("qmp_capabilities");
    case QmpMessage::Kind::reply:
      if (message.id == "qmp_capabilities") {
        negotiated_ = true;
        events.push_back({DriverEvent::Kind::channel_read});
      }
      if (message.id == "cont") events.push_back({DriverEvent::Kind::running});
      return {};
    case QmpMessage::Kind::error:
      if (message.id == "qmp_capabilities" || message.id == "cont") {
        return fail(Errc::io, "QEMU refused '{}': {}", message.id, message.name);
      }
      return {};  // send-key and system_powerdown are attempts; the stop goes on by its clock
    case QmpMessage::Kind::event:
      if (message.name == "SHUTDOWN") {
        events.push_back({DriverEvent::Kind::ended, end_of(message.data.string_at("reason"))});
      } else if (message.name == "GUEST_PANICKED") {
        events.push_back({DriverEvent::Kind::ended, GuestEnd::panicked});
      }
      return {};
  }
  return {};
}

Result<std::vector<DriverEvent>> QmpDriver::receive() {
  std::vector<DriverEvent> events;
  char buffer[16 * 1024];
  for (;;) {
    const ssize_t n = ::read(socket_.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return events;
    if (n < 0 && errno != ECONNRESET) return fail_errno("read from QEMU");
    if (n <= 0) {
      events.push_back({DriverEvent::Kind::closed});
      return events;
    }
    TRY_LET(const auto lines, in("read from QEMU", lines_.feed({buffer, static_cast<std::size_t>(n)})));
    for (const std::string& line : lines) {
      TRY_LET(const QmpMessage message, in("read from QEMU", parse_qmp(line)));
      TRY(take(message, events));
    }
  }
}

Result<> QmpDriver::go() { return send("cont"); }

Result<> QmpDriver::press_power() {
  // Control-alt-delete needs a keyboard controller, the power button needs logind: whichever the guest has answers
  // first, and systemd refuses the second request while it stops.
  TRY(send(
      "send-key",
      R"({"keys":[{"type":"qcode","data":"ctrl"},{"type":"qcode","data":"alt"},{"type":"qcode","data":"delete"}]})"));
  return send("system_powerdown");
}

Result<> QmpDriver::quit() {
  if (!negotiated_) return fail(Errc::unavailable, "QEMU does not take commands yet");
  return send("quit");
}

}  // namespace vmcred::supervise
