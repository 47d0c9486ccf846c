// What drawings on a terminal share: colours and marks, widths in characters, names that cannot move the cursor.
#pragma once

#include <string>
#include <string_view>

#include "chain/explain/view.h"

namespace vmcred::chain::explain {

/// Characters of UTF-8.
std::size_t columns_of(std::string_view text);
std::string repeated(std::string_view text, std::size_t times);

/// Control characters as '?': names come from files that others write.
std::string tame(std::string text);

struct Pen {
  bool on = false;
  [[nodiscard]] std::string draw(std::string_view text, std::string_view code) const;  ///< in an SGR code
  [[nodiscard]] std::string bold(std::string_view text) const { return draw(text, "1"); }
  [[nodiscard]] std::string dim(std::string_view text) const { return draw(text, "2"); }
  [[nodiscard]] std::string mood(Mood mood, std::string_view text) const;
  [[nodiscard]] std::string mark(Mood mood) const;  ///< "●", "◐", "○", "◆", "▲", "✖"
};

/// "web on host: qemu q35, …"
std::string head_text(const Chains& vm, Pen pen);
/// One credential from top to bottom.
std::string rail_text(const Picture& picture, const Chains& vm, const Chain& chain, const Screen& screen);

}  // namespace vmcred::chain::explain
