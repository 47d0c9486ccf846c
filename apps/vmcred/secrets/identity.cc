#include "secrets/identity.h"

#include <algorithm>

#include "age/keys.h"
#include "base/file.h"
#include "store/refused.h"
#include "store/vault.h"
#include "terminal/answer.h"
#include "terminal/ask.h"

namespace vmcred::app {

std::string login_name(const World& world) {
  std::string name = world.env("USER");
  if (name.empty()) name = world.env("LOGNAME");
  name = tamed(name, "admin").substr(0, 32);
  return name.front() >= '0' && name.front() <= '9' ? "admin" : name;
}

std::string tamed(std::string_view text, std::string_view fallback) {
  std::string name;
  for (const char c : text.substr(0, text.find('.'))) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    const bool good = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
    if (good || !name.empty()) name += good ? lower : '-';
  }
  while (name.ends_with('-')) name.pop_back();
  return name.empty() ? std::string(fallback) : name;
}

Result<store::KeyRing> own_keys(const World& world) {
  TRY_LET(store::KeyRing keys, operator_keys(world));
  // An SSH key alone makes no user: sops reads with it, clan does not.
  if (!keys.age_recipients().empty()) return keys;
  if (!keys.empty() && keys.recipients().empty())
    return hint(fail(Errc::usage, "your plugin's key does not say which recipient it belongs to"),
                "write the recipient into the comment before it: '# public key: age1…'");
  const std::string path = store::operator_key_path(world.environment);
  if (!path.starts_with('/'))
    return hint(fail(Errc::usage, "there is no place for your private key: neither XDG_CONFIG_HOME nor HOME is set"),
                "set one of them, or name your key's file in SOPS_AGE_KEY_FILE");
  // A file with a slip in one line is somebody's only key all the same.
  if (const auto there = exists(path) ? read_secret(path, 1) : Result<Secret>(Secret()); !there || !there->empty()) {
    const std::string why = store::problems_of(keys).empty() ? fmt::format("'{}' holds no key", path)
                                                             : store::problems_of(keys).back().message;
    return hint(fail(Errc::denied, "your private key cannot be used: {}", why),
                fmt::format("mend that file, or move it away: nothing is written over '{}'", path));
  }
  const age::KeyPair pair = age::generate_key_pair();
  const std::string head =
      fmt::format("# created: {}\n# public key: {}\n", rfc3339(world.clock->now()), pair.recipient);
  Secret text(head.size() + pair.identity.size() + 1);
  auto end = std::ranges::copy(bytes_of(head), text.writable().begin()).out;
  end = std::ranges::copy(pair.identity.bytes(), end).out;
  *end = '\n';
  TRY(make_folders(path.substr(0, path.rfind('/')), 0700));
  TRY(write_file(path, text.text(), 0600));
  note(world, fmt::format("made your private key in {}: keep a copy in a safe place", path));
  return operator_keys(world);
}

Result<> join_as_user(const Project& project, const store::Lock& lock, const store::KeyRing& keys,
                      const std::string& wanted_name, const std::vector<std::string>& more, const World& world) {
  store::Principals principals(project.repository);
  if (const Result<std::string> user = principals.user_of(keys)) {
    answer_with(world, "user", *user);
    note(world, fmt::format("you are the user '{}'", *user));
    return {};
  }
  const std::string name = wanted_name.empty() ? login_name(world) : wanted_name;
  TRY(store::check_user_name(name));
  if (principals.exists(store::Kind::user, name))
    return hint(fail(Errc::denied, "the user '{}' exists and has other keys than yours", name),
                "take another name with --user, or ask somebody who may to add your key");
  std::vector<store::PublicKey> own;
  for (const std::string& recipient : keys.age_recipients()) own.push_back({.type = "age", .text = recipient});
  if (own.empty()) return fail(Errc::usage, "the public half of your key cannot be told from its private half");
  TRY(store::write_user(project.repository, lock, name, own));
  answer_with(world, "user", name);
  note(world, fmt::format("added you as the user '{}'", name));
  std::vector<std::string> changed = more;
  changed.push_back("sops/users/" + name);
  return hand_to_git(project, changed, "secrets: add user " + name, false, world);
}

}  // namespace vmcred::app
