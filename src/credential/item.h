// One thing to deliver while the plan is made: its line in the plan, and what packing needs to know of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "credential/oem_string.h"
#include "credential/plan.h"

namespace vmcred::credential {

struct Item {
  Entry entry = {};
  std::optional<std::string> text = {};  ///< static: the value, or the user's whole OEM string
  bool listed = true;                    ///< has a line in the plan; the user's own OEM strings have none
  bool early = false;                    ///< read before any unit runs, so never by reference
  [[nodiscard]] Form form() const { return text ? Form::text : Form::binary; }
  [[nodiscard]] bool refused() const { return !entry.refused.empty(); }
  [[nodiscard]] bool placed() const { return entry.channel.has_value(); }
  /// Bytes in a structure, the NUL included.
  [[nodiscard]] std::size_t cost() const;
  /// Bytes of the value; 1 while they are not known, so that nothing is refused for them.
  [[nodiscard]] std::size_t least_size() const { return entry.size_known ? entry.size : 1; }
  [[nodiscard]] OemEntry oem_entry() const;
};

/// The token, the credentials and the user's own OEM strings of a vm; what is wrong with one by itself (its name, its
/// size, its text) is refused here.
std::vector<Item> collect_items(const PlanInput& input);

/// Whether a kernel line tells PID 1 to import no credentials.
bool import_is_off(std::string_view command_line);

/// The value of Plan::notify_socket.
std::string notify_socket_of(const PlanInput& input);

}  // namespace vmcred::credential
