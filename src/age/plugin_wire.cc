#include "age/plugin_wire.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "base/base64.h"

namespace vmcred::age {
namespace {

constexpr std::size_t kMaxMessage = 1024 * 1024;
constexpr std::size_t kColumns = 64;

void wipe_text(std::string& text) {
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});  // NOLINT
  text.clear();
}

/// How many bytes the first stanza takes, or nothing while it is incomplete.
std::optional<std::size_t> stanza_size(std::string_view text) {
  std::size_t at = text.find('\n');
  while (at != std::string_view::npos) {
    const std::size_t end = text.find('\n', at + 1);
    if (end == std::string_view::npos) return std::nullopt;
    if (end - at - 1 < kColumns) return end + 1;  // a short line ends the body
    at = end;
  }
  return std::nullopt;
}

}  // namespace

std::string plugin_message(std::string type, std::vector<std::string> arguments, std::string body) {
  std::string out;
  Stanza stanza = {.type = std::move(type), .arguments = std::move(arguments), .body = std::move(body)};
  append_stanza(out, stanza);
  wipe_text(stanza.body);
  return out;
}

Result<PluginConversation> PluginConversation::start(const std::string& name, const std::string& state,
                                                     const Plugins& plugins) {
  const std::string program_name = "age-plugin-" + name;
  const auto program = find_program(program_name, plugins.search_path);
  if (!program || !program->starts_with('/')) {
    return hint(fail(Errc::unavailable, "the plugin '{}' is not on this machine", program_name),
                fmt::format("install '{}' in a folder of PATH", program_name));
  }
  TRY_LET(FdPair to, make_pipe());
  TRY_LET(FdPair from, make_pipe());
  PluginConversation conversation;
  conversation.name_ = name;
  conversation.plugins_ = plugins;
  TRY_LET(conversation.child_, spawn({.argv = {*program, "--age-plugin=" + state},
                                      .environment = plugins.environment,
                                      .folder = "/",
                                      .descriptors = {{0, to.first.get()}, {1, from.second.get()}}}));
  conversation.to_ = std::move(to.second);
  conversation.from_ = std::move(from.first);
  TRY(set_nonblocking(conversation.to_, true));
  return conversation;
}

PluginConversation::~PluginConversation() { wipe_text(buffer_); }

Result<> PluginConversation::send(std::string stanzas) {
  Result<> result;
  for (std::size_t at = 0; at < stanzas.size() && result;) {
    pollfd wait = {.fd = to_.get(), .events = POLLOUT, .revents = 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(plugins_.limit.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      result = fail(Errc::unavailable, "the plugin '{}' does not listen", name_);
      break;
    }
    const ssize_t n = write_some(to_, std::string_view(stanzas).substr(at));
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n < 0) result = fail(Errc::unavailable, "the plugin '{}' ended early", name_);
    if (n > 0) at += static_cast<std::size_t>(n);
  }
  wipe_text(stanzas);
  return result;
}

Result<> PluginConversation::fill() {
  std::array<char, 4096> chunk = {};
  while (true) {
    pollfd wait = {.fd = from_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(plugins_.limit.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) {
      return fail(Errc::unavailable, "the plugin '{}' did not answer within {} s", name_,
                  static_cast<double>(plugins_.limit.count()) / 1000);
    }
    const ssize_t n = ::read(from_.get(), chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return fail(Errc::unavailable, "the plugin '{}' ended early", name_);
    if (buffer_.size() + static_cast<std::size_t>(n) > buffer_.capacity()) {  // grow without leaving a copy behind
      std::string larger;
      larger.reserve(2 * (buffer_.size() + chunk.size()));
      larger = buffer_;
      wipe_text(buffer_);
      buffer_.swap(larger);
    }
    buffer_.append(chunk.data(), static_cast<std::size_t>(n));
    wipe({reinterpret_cast<std::uint8_t*>(chunk.data()), chunk.size()});  // NOLINT
    return {};
  }
}

Result<Stanza> PluginConversation::receive() {
  while (true) {
    std::optional<std::size_t> size;
    while (!(size = stanza_size(buffer_))) {
      if (buffer_.size() > kMaxMessage) {
        return fail(Errc::unavailable, "the plugin '{}' sends more than {} bytes", name_, kMaxMessage);
      }
      TRY(fill());
    }
    std::string_view text = std::string_view(buffer_).substr(0, *size);
    auto stanza = take_stanza(text);
    wipe({reinterpret_cast<std::uint8_t*>(buffer_.data()), *size});  // NOLINT
    buffer_.erase(0, *size);
    if (!stanza) return fail(Errc::unavailable, "the plugin '{}' sends what is no message", name_);
    TRY_LET(const bool was_question, answer_question(*stanza));
    if (!was_question) return stanza;
  }
}

Result<bool> PluginConversation::answer_question(const Stanza& stanza) {
  PluginPrompts* const prompts = plugins_.prompts;
  if (stanza.type == "msg") {
    TRY(send(plugin_message(prompts != nullptr && prompts->show(name_, stanza.body) ? "ok" : "fail")));
    return true;
  }
  if (stanza.type == "confirm") {
    const auto option = [&](std::size_t i) {
      return stanza.arguments.size() > i ? base64_decode(stanza.arguments[i], Padding::without).value_or("")
                                         : std::string();
    };
    std::optional<bool> answer;
    if (prompts != nullptr) answer = prompts->confirm(name_, stanza.body, option(0), option(1));
    TRY(send(answer ? plugin_message("ok", {*answer ? "yes" : "no"}) : plugin_message("fail")));
    return true;
  }
  if (stanza.type == "request-public" || stanza.type == "request-secret") {
    std::optional<Secret> answer;
    if (prompts != nullptr) answer = prompts->ask(name_, stanza.body, stanza.type == "request-secret");
    TRY(send(answer ? plugin_message("ok", {}, std::string(answer->text())) : plugin_message("fail")));
    return true;
  }
  return false;
}

Result<> PluginConversation::finish() {
  to_ = Fd();
  TRY_LET(const std::optional<ExitStatus> status, child_.wait_for(plugins_.limit));
  if (!status) return fail(Errc::unavailable, "the plugin '{}' does not end", name_);
  return {};
}

}  // namespace vmcred::age
