// How sure it is that a guest works with a credential: the one place that decides, for every command and every drawing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "supervise/status.h"

namespace vmcred::supervise {

/// From the best to the worst.
enum class Arrival : std::uint8_t {
  proven,   ///< it arrived byte for byte, and every service that should load it runs with it
  arrived,  ///< it arrived byte for byte; nobody loads it, or whether somebody did is not known
  unknown,  ///< no receipt says anything
  older,    ///< the store, or what is activated on the host, has a newer value
  broken,   ///< the receipt says that it is missing, cut, changed or shadowed
};
/// "proven", "arrived", "unknown", "older than the store", "broken"
std::string_view arrival_name(Arrival arrival);
/// A shape for each: ● ◐ ○ ◆ ✖
std::string_view arrival_mark(Arrival arrival);

/// Whether a unit in this ActiveState has loaded its credentials.
bool runs(std::string_view active_state);

Arrival arrival_of(const ReceiptLine& line);
/// The worst of all that was sent; `unknown` where no complete receipt came.
Arrival arrival_of(const Status& status);
/// The same as a sentence that says of which credentials, and why: "arrived; nobody loads 'API_KEY'".
std::string arrival_text(const Status& status);

}  // namespace vmcred::supervise
