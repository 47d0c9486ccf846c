#include "terminal/ask.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include <memory>
#include <optional>

#include "base/fd.h"
#include "base/file.h"
#include "generate/line_editor.h"
#include "terminal/terminal.h"

namespace vmcred::app {
namespace {

using declare::PromptType;
using generate::LineEditor;

constexpr std::size_t kMaxYes = 16;
constexpr std::size_t kMaxPin = 1024;

/// The terminal in raw mode while it lives, with bracketed paste on. Signals that would end us wait until it is as it
/// was.
class RawTerminal {
 public:
  explicit RawTerminal(const Fd& fd) : fd_(fd) {
    sigset_t ending;
    ::sigemptyset(&ending);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) ::sigaddset(&ending, signal);
    ::pthread_sigmask(SIG_BLOCK, &ending, &mask_);
    signals_ = Fd(::signalfd(-1, &ending, SFD_CLOEXEC));
    raw_ = ::tcgetattr(fd.get(), &before_) == 0;
    if (!raw_) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    raw.c_oflag |= OPOST;
    ::tcsetattr(fd.get(), TCSAFLUSH, &raw);
    (void)write_all(fd, "\x1b[?2004h");
  }
  ~RawTerminal() {
    if (raw_) {
      (void)write_all(fd_, "\x1b[?2004l");
      ::tcsetattr(fd_.get(), TCSAFLUSH, &before_);
    }
    ::pthread_sigmask(SIG_SETMASK, &mask_, nullptr);
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;

  /// The next byte; nothing when the terminal went away or a signal came.
  [[nodiscard]] std::optional<unsigned char> read() const {
    while (true) {
      pollfd watched[] = {{.fd = fd_.get(), .events = POLLIN, .revents = 0},
                          {.fd = signals_.get(), .events = POLLIN, .revents = 0}};
      if (::poll(watched, std::size(watched), -1) < 0) continue;
      if (watched[1].revents != 0) return {};
      unsigned char byte = 0;
      const ssize_t n = ::read(fd_.get(), &byte, 1);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return {};
      return byte;
    }
  }

 private:
  const Fd& fd_;
  Fd signals_;
  sigset_t mask_ = {};
  termios before_ = {};
  bool raw_ = false;
};

Fd open_terminal() { return Fd(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)); }

std::size_t width_of(const Fd& terminal) {
  winsize size = {};
  return ::ioctl(terminal.get(), TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80;
}

/// Draws the prompt and as much of the line around the cursor as fits, straight from the Secret to the terminal.
void draw(const Fd& terminal, const std::string& prompt, const LineEditor& editor, bool hidden) {
  (void)write_all(terminal, "\r\x1b[K" + prompt);
  if (hidden) return;
  const std::string_view line = editor.current_line();
  const std::size_t cursor = editor.cursor_in_line();
  const std::size_t room =
      std::max<std::size_t>(width_of(terminal) - std::min(generate::columns(prompt), width_of(terminal) / 2) - 2, 10);
  std::size_t begin = 0;
  while (generate::columns(line.substr(begin, cursor - begin)) > room) {
    do ++begin;
    while (begin < line.size() && (static_cast<unsigned char>(line[begin]) & 0xc0U) == 0x80U);
  }
  std::size_t end = line.size();
  while (end > cursor && generate::columns(line.substr(begin, end - begin)) > room) {
    do --end;
    while (end > begin && (static_cast<unsigned char>(line[end]) & 0xc0U) == 0x80U);
  }
  (void)write_all(terminal, line.substr(begin, end - begin));
  const std::size_t back = generate::columns(line.substr(cursor, end - cursor));
  if (back > 0) (void)write_all(terminal, fmt::format("\x1b[{}D", back));
}

Result<Secret> edit(const Fd& terminal, const std::string& prompt, bool multiline, bool hidden, std::size_t capacity) {
  const RawTerminal raw(terminal);
  LineEditor editor(multiline, capacity);
  draw(terminal, prompt, editor, hidden);
  while (true) {
    const std::optional<unsigned char> byte = raw.read();
    if (!byte) return fail(Errc::io, "the terminal went away");
    const LineEditor::State state = editor.feed(*byte);
    if (editor.take_bell()) (void)write_all(terminal, "\a");
    if (state == LineEditor::State::done || state == LineEditor::State::given_up) {
      (void)write_all(terminal, "\n");
      if (state == LineEditor::State::given_up) return fail(Errc::denied, "given up");
      return editor.take();
    }
    if (editor.take_new_line()) (void)write_all(terminal, "\n");
    if (editor.take_joined()) (void)write_all(terminal, "\r\x1b[K\x1b[A");
    draw(terminal, prompt, editor, hidden);
  }
}

std::string label_of(const generate::Question& question) {
  const declare::Prompt& prompt = *question.prompt;
  return prompt.display_label.empty() ? prompt.description : prompt.display_label;
}

Result<Secret> ask(const Fd& terminal, const std::string& head, const std::string& label, PromptType type) {
  const bool hidden = type == PromptType::hidden || type == PromptType::multiline_hidden;
  const bool multiline = type == PromptType::multiline || type == PromptType::multiline_hidden;
  (void)write_all(terminal,
                  tamed(head, true) + (multiline ? "\n  several lines; ctrl-d on the last one ends them\n" : "\n"));
  constexpr int kTries = 3;
  for (int tries = 0; tries < kTries; ++tries) {
    TRY_LET(Secret first, edit(terminal, tamed(label) + ": ", multiline, hidden, generate::kMaxAnswer));
    if (first.empty()) {
      (void)write_all(terminal, "  an answer is needed\n");
      continue;
    }
    if (!hidden) return first;
    TRY_LET(const Secret second, edit(terminal, "once more: ", multiline, hidden, generate::kMaxAnswer));
    if (equal_in_constant_time(first.bytes(), second.bytes())) return first;
    (void)write_all(terminal, "  these were two different answers\n");
  }
  return fail(Errc::denied, "no answer in {} tries", kTries);
}

/// A plugin's words without what would move the cursor or fake a prompt of ours.
std::string tame(std::string_view words) {
  std::string text;
  for (const char c : words) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c;
  return text;
}

class TerminalPrompts final : public age::PluginPrompts {
 public:
  bool show(const std::string& plugin, std::string_view message) override {
    const Fd terminal = open_terminal();
    return terminal && write_all(terminal, fmt::format("{}: {}\n", plugin, tame(message))).has_value();
  }
  std::optional<bool> confirm(const std::string& plugin, std::string_view question, std::string_view yes,
                              std::string_view no) override {
    const Fd terminal = open_terminal();
    if (!terminal) return std::nullopt;
    const std::string prompt = no.empty()
                                   ? fmt::format("{}: {} [y: {}] ", plugin, tame(question), tame(yes))
                                   : fmt::format("{}: {} [y: {}, n: {}] ", plugin, tame(question), tame(yes), tame(no));
    const Result<Secret> answer = edit(terminal, prompt, false, false, kMaxYes);
    if (!answer) return std::nullopt;
    return answer->text() == "y" || answer->text() == "Y" || answer->text() == "yes";
  }
  std::optional<Secret> ask(const std::string& plugin, std::string_view question, bool secret) override {
    const Fd terminal = open_terminal();
    if (!terminal) return std::nullopt;
    Result<Secret> answer = edit(terminal, fmt::format("{}: {} ", plugin, tame(question)), false, secret, kMaxPin);
    if (!answer) return std::nullopt;
    return *std::move(answer);
  }
};

}  // namespace

age::PluginPrompts* plugin_prompts() {
  static TerminalPrompts prompts;
  return &prompts;
}

Result<store::KeyRing> operator_keys(const World& world) {
  return store::KeyRing::of_operator(world.environment, plugin_prompts());
}

generate::Ask asker(const World& world) {
  auto terminal = std::make_shared<Fd>(open_terminal());
  if (!*terminal) return {};
  return [terminal, &world](const generate::Question& question) {
    const declare::Prompt& prompt = *question.prompt;
    std::string head = prompt.display_group.empty() ? "" : prompt.display_group + ": ";
    head += styled(question.name(), Style::bold, world.color_err);
    if (!prompt.display_label.empty() && prompt.description != prompt.name) head += "\n  " + prompt.description;
    if (!prompt.display_help.empty()) head += "\n  " + prompt.display_help;
    return ask(*terminal, head, label_of(question), question.prompt->type);
  };
}

Result<Secret> ask_for_value(const World& world, const std::string& name) {
  const Fd terminal = open_terminal();
  if (!terminal) return fail(Errc::unavailable, "nobody is here to type the value for {}", name);
  return ask(terminal, styled(name, Style::bold, world.color_err), "value", PromptType::multiline_hidden);
}

Result<generate::AnswerSheet> read_answers(const std::string& path) {
  if (path.empty()) return generate::AnswerSheet{};
  Secret text;
  if (path == "-") {
    const Fd input(::dup(0));
    TRY_LET(text, in("read the answers", read_secret(input, "standard input", generate::kMaxAnswersFile)));
  } else {
    TRY_LET(text, in("read the answers", read_secret(path, generate::kMaxAnswersFile)));
  }
  return in(fmt::format("read the answers in '{}'", path), generate::AnswerSheet::parse(text));
}

Result<bool> confirm(const World&, std::string_view question) {
  const Fd terminal = open_terminal();
  if (!terminal)
    return hint(fail(Errc::unavailable, "nobody is here to say yes"), "look at it with --dry-run, then give --yes");
  TRY_LET(const Secret answer, edit(terminal, fmt::format("{} [y/N] ", tamed(question)), false, false, kMaxYes));
  return answer.text() == "y" || answer.text() == "Y" || answer.text() == "yes";
}

}  // namespace vmcred::app
