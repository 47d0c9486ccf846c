// Does a text look like a secret? For static values, units and command lines, where none may stand.
#pragma once

#include <optional>
#include <string_view>

namespace vmcred::declare {

/// What the text looks like ("a private key", "a GitHub token", "a long random text"), or nothing. Public things that
/// are as random as a secret are let pass where their shape says so: SSH public keys, certificates. Never the value.
std::optional<std::string_view> looks_like_secret(std::string_view text);

}  // namespace vmcred::declare
