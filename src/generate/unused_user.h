// A user for a script that root starts: nobody, since limits do not bind root.
#pragma once

#include <sys/types.h>
#include <optional>
#include <string_view>

namespace vmcred::generate {

/// One that is nobody's. Nothing when we are not root, or root of a user namespace that has no room for him: that root
/// is an ordinary user outside, whom limits bind.
std::optional<uid_t> unused_user();

/// Whether a user namespace with this /proc/self/uid_map ("inside outside count" a line) knows all of them.
bool maps_users(std::string_view uid_map, uid_t first, uid_t count);

}  // namespace vmcred::generate
