#include "supervise/console_tail.h"

#include <algorithm>

#include "base/text.h"

namespace vmcred::supervise {
namespace {

constexpr std::string_view kPanic = "Kernel panic";

/// The kernel's own line: its time in brackets (where it prints one) and the message, nothing behind it.
bool is_last_word(std::string_view line) {
  if (line.starts_with('[')) {
    const std::size_t end = line.find("] ");
    if (end == std::string_view::npos) return false;
    line.remove_prefix(end + 2);
  }
  return line == "reboot: System halted";  // kernel/reboot.c, kernel_halt()
}

std::string_view trimmed(std::string_view line) {
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  return line;
}

}  // namespace

void ConsoleTail::add(std::string_view bytes) {
  text_ += bytes;
  if (text_.size() <= 2 * kKept) return;
  text_.erase(0, text_.size() - kKept);
}

bool ConsoleTail::halted() const {
  std::string_view rest = text_;
  while (!rest.empty()) {
    if (is_last_word(trimmed(take_until(rest, '\n')))) return true;
  }
  return false;
}

bool ConsoleTail::panicked() const { return text_.contains(kPanic); }

std::vector<std::string> ConsoleTail::last_lines() const {
  std::vector<std::string> lines;
  std::string_view rest = text_;
  while (!rest.empty()) {
    const std::string_view line = trimmed(take_until(rest, '\n'));
    if (!line.empty()) lines.emplace_back(line);
  }
  const auto panic =
      std::ranges::find_if(lines.rbegin(), lines.rend(), [](const std::string& line) { return line.contains(kPanic); });
  const std::size_t begin = panic == lines.rend() ? lines.size() - std::min(lines.size(), kLines)
                                                  : static_cast<std::size_t>(lines.rend() - panic) - 1;
  lines.erase(lines.begin(), lines.begin() + static_cast<std::ptrdiff_t>(begin));
  if (lines.size() > kLines) lines.resize(kLines);
  return lines;
}

}  // namespace vmcred::supervise
