#include "supervise/notices.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include <fmt/format.h>

#include "base/foreign_text.h"

namespace vmcred::supervise {
namespace {

/// What is shown to people and programs: one line of no control characters, not too much.
std::string harmless(std::string_view text) { return one_line(text.substr(0, kMaxNoticeText)); }

}  // namespace

Notice parse_notice(std::string_view message) {
  Notice notice;
  const std::array<std::pair<std::string_view, std::string*>, 5> texts = {
      {{"STATUS", &notice.status},
       {"X_SYSTEMD_HOSTNAME", &notice.hostname},
       {"X_SYSTEMD_UNIT_ACTIVE", &notice.unit_active},
       {"X_SYSTEMD_UNIT_INACTIVE", &notice.unit_inactive},
       {"X_SYSTEMD_SHUTDOWN", &notice.shutdown}}};
  message = message.substr(0, kMaxNotice);
  while (!message.empty()) {
    const std::string_view line = message.substr(0, message.find('\n'));
    message.remove_prefix(std::min(message.size(), line.size() + 1));
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals);
    const std::string_view value = line.substr(equals + 1);
    if (key == "READY") notice.ready = value == "1";
    if (key == "EXIT_STATUS") {
      int number = 0;
      const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error == std::errc() && end == value.data() + value.size() && number >= 0 && number <= 255)
        notice.exit_status = number;
    }
    const auto text = std::ranges::find(texts, key, [](const auto& pair) { return pair.first; });
    if (text != texts.end()) *text->second = harmless(value);
  }
  return notice;
}

std::string notice_text(const Notice& notice) {
  std::string text;
  const auto add = [&text](const std::string& part) { text += (text.empty() ? "" : "; ") + part; };
  if (notice.ready) add("ready");
  if (!notice.unit_active.empty()) add("reached " + notice.unit_active);
  if (!notice.unit_inactive.empty()) add("left " + notice.unit_inactive);
  if (!notice.shutdown.empty()) add("shuts down: " + notice.shutdown);
  if (notice.exit_status) add(fmt::format("exit status {}", *notice.exit_status));
  if (!notice.status.empty()) add(notice.status);
  return text;
}

void NoticeListener::add_to(std::vector<pollfd>& polled) const {
  const auto add = [&polled](const Fd& fd) {
    if (fd) polled.push_back({.fd = fd.get(), .events = POLLIN, .revents = 0});
  };
  add(listener_);
  for (const Caller& caller : callers_) add(caller.socket);
}

SteadyTime NoticeListener::deadline() const {
  SteadyTime first = SteadyTime::max();
  for (const Caller& caller : callers_) first = std::min(first, caller.end);
  return first;
}

NoticeListener::Heard NoticeListener::hear(Caller& caller, SteadyTime now) {
  char buffer[kMaxNotice];
  for (;;) {
    const ssize_t n = ::recv(caller.socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (n < 0) return Heard::nothing;
    if (n == 0) return caller.said.empty() ? Heard::nothing : Heard::all;
    caller.said.append(buffer, static_cast<std::size_t>(n));
    if (caller.said.size() > kMaxNotice) return Heard::nothing;
    caller.end = std::min(now + kQuiet, caller.limit);
  }
  if (now < caller.end) return Heard::more;
  return caller.said.empty() ? Heard::nothing : Heard::all;
}

std::vector<Notice> NoticeListener::receive(SteadyTime now) {
  for (std::size_t round = 0; listener_ && round < kMaxCallers; ++round) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) break;
    if (callers_.size() == kMaxCallers) callers_.pop_front();
    callers_.push_back({.socket = std::move(socket), .limit = now + kMute, .end = now + kMute});
  }
  std::vector<Notice> notices;
  std::erase_if(callers_, [&](Caller& caller) {
    const Heard heard = hear(caller, now);
    if (heard == Heard::all) notices.push_back(parse_notice(caller.said));
    return heard != Heard::more;
  });
  return notices;
}

}  // namespace vmcred::supervise
