// Who is at the terminal: the private key, made where there is none, and the user that it belongs to.
#pragma once

#include <string>
#include <vector>

#include "vars/vars.h"

namespace vmcred::app {

/// A host or login name made fit for a machine or a user: lower case, other characters become '-'.
std::string tamed(std::string_view text, std::string_view fallback);

/// The login name, made fit for a user; "admin" where there is none.
std::string login_name(const World& world);

/// The operator's keys; makes one (where sops and clan look for it) when none is found.
Result<store::KeyRing> own_keys(const World& world);

/// Adds the owner of these keys to the project's users, where he is not among them. `name` may be empty: the login
/// name. `more` are further changed paths for git.
Result<> join_as_user(const Project& project, const store::Lock& lock, const store::KeyRing& keys,
                      const std::string& name, const std::vector<std::string>& more, const World& world);

}  // namespace vmcred::app
