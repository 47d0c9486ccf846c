// What the secrets commands share: changing who is who, and re-encrypting what that touches.
#pragma once

#include <functional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "store/readers.h"
#include "vars/vars.h"

namespace vmcred::app {

/// What is wrong already: looked up before a change, since it is for 'vars fix' to show, and gives nobody access in
/// passing.
struct Drifting {
  std::set<std::string> folders = {};  ///< of secrets whose recipients are not those of their links
  std::set<std::string> bad = {};      ///< links that grant nothing
};
Result<Drifting> drifting_secrets(const Project& project);

/// Brings all other secrets in line after `links` said what each one's links become (nothing: as they are). Tells what
/// it does; the names of secrets that somebody lost are returned: they are due for rotation. When a secret cannot be
/// brought in line (nobody would be left who can read it, no key of ours opens it) none is changed, and `undo` takes
/// back what the caller had changed for it. `allow` is asked before anything is changed; without it nobody who gains
/// access is shown: that is for changes by which nobody does.
using Allow = std::function<Result<>(store::Principals&, std::span<const store::Adjustment>)>;
using Undo = std::function<Result<>()>;
using NewLinks = std::function<std::optional<store::Links>(const store::SecretPlace&, const store::Links&)>;
struct Touched {
  std::vector<std::string> folders = {};
  std::vector<store::SecretPlace> lost = {};
};
Result<Touched> bring_in_line(const Project& project, const store::Lock& lock, const Drifting& drifting,
                              const NewLinks& links, const Allow& allow, const World& world, const Undo& undo);
/// The rule of widen.h, with what the command was given.
Allow by_the_rule(const Given& given, const World& world);

/// A secret as it is typed: GENERATOR/FILE, with MACHINE: or VM: in front where it has several owners, or the name of
/// one below sops/secrets.
Result<store::SecretPlace> chosen_secret(const std::string& word, const Project& project);

/// Gives a machine another key pair, and everything that it can read to that.
Result<> renew_machine_key(const Project& project, const store::Lock& lock, const std::string& machine,
                           const World& world);

/// Says so where one person's key alone reads the project.
void warn_of_only_user(const Project& project, const World& world);
/// The same before a user or a key goes, where only this user with these keys would be left.
void warn_before_removal(const std::vector<std::string>& users, std::size_t keys, const World& world);

/// Names what should be rotated, and rotates it with --rotate.
Result<> after_loss(const Project& project, const store::Lock& lock, const Touched& touched, bool rotate,
                    const World& world);

}  // namespace vmcred::app
