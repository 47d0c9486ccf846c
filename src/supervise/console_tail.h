// The end of what the guest's console said, as the kernel's last words are there and nowhere else.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vmcred::supervise {

class ConsoleTail {
 public:
  /// Of a console nothing older is kept.
  static constexpr std::size_t kKept = 8 * 1024;
  static constexpr std::size_t kLines = 8;

  void add(std::string_view bytes);
  void clear() { text_.clear(); }
  /// Whether the kernel has said that it stopped for good, on a machine that it cannot switch off: "reboot: System
  /// halted".
  [[nodiscard]] bool halted() const;
  [[nodiscard]] bool panicked() const;
  /// The last lines that are not empty, from the last "Kernel panic" on where there is one among what is kept; oldest
  /// first.
  [[nodiscard]] std::vector<std::string> last_lines() const;

 private:
  std::string text_;
};

}  // namespace vmcred::supervise
