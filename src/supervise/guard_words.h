// What clients of a guard say, and what a guard makes of it. Pure: no sockets, trusts nothing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "supervise/http.h"
#include "vmm/launch.h"

namespace vmcred::supervise {

/// What a client may send at once.
inline constexpr std::size_t kMaxGuardCommand = 16 * 1024;
inline constexpr std::size_t kMaxGuardDepth = 16;
inline constexpr std::size_t kMaxGuardBody = 64 * 1024;

/// Takes the JSON object that `bytes` begin with out of them (clients of QMP send no line ends); nothing while it is
/// not whole. Anything but an object and blanks, and an object over the limit, is `invalid_data`.
Result<std::optional<std::string>> take_object(std::string& bytes);
/// The same for a line, without its end.
Result<std::optional<std::string>> take_line(std::string& bytes);

/// A command of a client's that passes, or the reason why it does not.
struct Spoken {
  std::string command = {};     ///< as it may be logged: printable, short
  std::string arguments = {};   ///< JSON, empty for none
  std::optional<Json> id = {};  ///< of the client's, given back with the answer
  std::string refused = {};     ///< why it does not pass
};

/// One QMP command (QMP specification 2.3). Unknown members, out-of-band commands and commands that are not allowed are
/// refused.
Spoken judge_qmp(std::string_view object, const vmm::GuardRules& rules);

/// One line for QEMU's human monitor, as the QMP command that does the same; an empty line is an empty command.
Spoken judge_hmp(std::string_view line, const vmm::GuardRules& rules);
/// What QEMU's human monitor would print for an answer: of "query-status" and "query-balloon"; nothing for others.
std::string hmp_answer(std::string_view command, const Json& returned);

/// Whether the API's rules let a request through.
bool passes(const HttpRequest& request, const vmm::GuardRules& rules);

/// Takes every member of that name out, at any depth.
void hide(Json& json, const std::vector<std::string>& names);

/// `text` with every byte that is not printable ASCII as '?', cut at 64.
std::string loggable(std::string_view text);

}  // namespace vmcred::supervise
