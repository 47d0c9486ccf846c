// Nix store paths without what an update changes in them.
#pragma once

#include <string>
#include <string_view>

namespace vmcred::generate {

/// The text with each "/nix/store/HASH-NAME-VERSION" in it as "/nix/store/NAME" ("/nix/store/…-openssl-3.0.14-bin/bin"
/// becomes "/nix/store/openssl/bin"). The name ends where Nix says so: before the first '-' that no letter follows
/// (Nix manual, builtins.parseDrvName). So an update of a package is no change of what a generator declares.
std::string without_versions(std::string_view text);

}  // namespace vmcred::generate
