// The names that keys have in the text of a secrets.nix: nix itself gives values without the names of their variables.
#pragma once

#include <string>

#include "adopt/foreign.h"

namespace vmcred::adopt {

/// Names those keys of `found` that have none yet: `alice = "ssh-ed25519 …";`, and as machines those that stand in a
/// list that is called systems, hosts or the like, or below such a name (`hosts.web = …`).
void add_written_names(const std::string& text, Found& found);

}  // namespace vmcred::adopt
