// vmcred secrets users and machines: who there is, and with which keys.
#include <algorithm>

#include "age/keys.h"
#include "base/json.h"
#include "secrets/access.h"
#include "secrets/commands.h"
#include "secrets/widen.h"
#include "store/refused.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "terminal/terminal.h"

namespace vmcred::app {
namespace {

using store::Kind;

constexpr Parameter kOneUser[] = {{"USER", "a user"}};
constexpr Parameter kOneMachine[] = {{"MACHINE", "a machine"}};
constexpr Parameter kAddUser[] = {
    {"USER", "a name"}, {"KEY...", "his age recipients"}, kWiden, {"--commit", "commit the change in git"}};
constexpr Parameter kAddMachine[] = {
    {"MACHINE", "a name"}, {"KEY", "its age recipient"}, kWiden, {"--commit", "commit the change in git"}};
constexpr Parameter kRemoveUser[] = {{"USER", "a user"},
                                     {"--rotate", "make new values for all that he could read"},
                                     {"--commit", "commit the change in git"}};
constexpr Parameter kRemoveMachine[] = {{"MACHINE", "a machine"},
                                        {"--rotate", "make new values for all that it could read"},
                                        {"--commit", "commit the change in git"}};
constexpr Parameter kKeys[] = {
    {"USER", "a user"}, {"KEY...", "age recipients"}, kWiden, {"--commit", "commit the change in git"}};
constexpr Parameter kUserSecret[] = {
    {"USER", "a user"},
    {"SECRET", "GENERATOR/FILE (or OWNER:GENERATOR/FILE), or a name below sops/secrets"},
    kWiden,
    {"--commit", "commit the change in git"}};
constexpr Parameter kRemoveKeys[] = {{"USER", "a user"},
                                     {"KEY...", "age recipients"},
                                     {"--rotate", "make new values for all that they could read"},
                                     {"--commit", "commit the change in git"}};
constexpr Parameter kTakeFromUser[] = {
    {"USER", "a user"},
    {"SECRET", "GENERATOR/FILE (or OWNER:GENERATOR/FILE), or a name below sops/secrets"},
    {"--rotate", "make a new value, which he has never seen"},
    {"--commit", "commit the change in git"}};
constexpr Parameter kTakeFromMachine[] = {
    {"MACHINE", "a machine"},
    {"SECRET", "GENERATOR/FILE (or OWNER:GENERATOR/FILE), or a name below sops/secrets"},
    {"--rotate", "make a new value, which it has never seen"},
    {"--commit", "commit the change in git"}};
constexpr Parameter kMachineSecret[] = {
    {"MACHINE", "a machine"},
    {"SECRET", "GENERATOR/FILE (or OWNER:GENERATOR/FILE), or a name below sops/secrets"},
    kWiden,
    {"--commit", "commit the change in git"}};

const char* parameter_of(Kind kind) { return kind == Kind::user ? "USER" : "MACHINE"; }

Result<std::vector<store::PublicKey>> given_keys(const Given& given) {
  std::vector<store::PublicKey> keys;
  for (const std::string& text : given.all("KEY")) {
    TRY_LET(const age::RecipientPtr key, age::parse_recipient(text));
    keys.push_back({.type = "age", .text = key->text()});
  }
  return keys;
}

Result<> check_name(Kind kind, const std::string& name) {
  return kind == Kind::user ? store::check_user_name(name) : store::check_machine_name(name);
}

Result<Exit> list(const Given&, World& world, Kind kind) {
  TRY_LET(const Project project, open_project(world));
  store::Principals principals(project.repository);
  TRY_LET(const std::vector<std::string> names, principals.names(kind));
  Json array = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const std::string& name : names) {
    TRY_LET(const std::vector<store::PublicKey> keys, principals.keys(kind, name));
    std::vector<std::string> texts;
    for (const store::PublicKey& key : keys) texts.push_back(key.text);
    Json item = Json::object();
    item.set("name", name);
    item.set("keys", Json::strings(texts));
    array.push(std::move(item));
    for (std::size_t i = 0; i < texts.size(); ++i) rows.push_back({i == 0 ? name : "", texts[i]});
  }
  if (world.json) {
    answer_with(world, std::string(store::plural(kind)), std::move(array));
  } else {
    print(world, table(rows));
  }
  return Exit::done;
}

Result<Exit> get(const Given& given, World& world, Kind kind) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const std::vector<store::PublicKey> keys,
          store::Principals(project.repository).keys(kind, given.at(parameter_of(kind))));
  answer_with(world, "name", given.at(parameter_of(kind)));
  for (const store::PublicKey& key : keys) {
    answer_also(world, "keys", key.text);
    if (!world.json) print(world, key.text + "\n");
  }
  return Exit::done;
}

/// Writes the keys, re-encrypts what that touches, hands it to git.
Result<Exit> change_keys(const Given& given, World& world, Kind kind, const std::string& name,
                         const std::vector<store::PublicKey>& keys, const Project& project, const store::Lock& lock,
                         const char* verb, const char* done) {
  TRY_LET(const Drifting drifting, drifting_secrets(project));
  store::Principals principals(project.repository);
  std::vector<store::PublicKey> before;
  if (principals.exists(kind, name)) {
    TRY_LET(before, principals.keys(kind, name));
  }
  TRY(store::write_principal(project.repository, lock, kind, name, keys));
  TRY_LET(Touched touched, bring_in_line(project, lock, drifting, {}, by_the_rule(given, world), world, [&] {
            return store::write_principal(project.repository, lock, kind, name, before);
          }));
  answer_with(world, "name", name);
  note(world, fmt::format("{} the {} '{}'", done, store::singular(kind), name));
  TRY(after_loss(project, lock, touched, given.has("rotate"), world));
  touched.folders.push_back(fmt::format("sops/{}/{}", store::plural(kind), name));
  TRY(hand_to_git(project, touched.folders, fmt::format("secrets: {} {} {}", verb, store::singular(kind), name),
                  given.has("commit"), world));
  return Exit::done;
}

Result<Exit> add(const Given& given, World& world, Kind kind) {
  const std::string name = given.at(parameter_of(kind));
  TRY(check_name(kind, name));
  TRY_LET(const std::vector<store::PublicKey> keys, given_keys(given));
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  if (principals.exists(kind, name))
    return hint(fail(Errc::usage, "there is a {} '{}' already", store::singular(kind), name),
                kind == Kind::user ? "change its keys with add-key and remove-key" : "remove it first");
  return change_keys(given, world, kind, name, keys, project, lock, "add", "added");
}

Result<Exit> remove(const Given& given, World& world, Kind kind) {
  const std::string name = given.at(parameter_of(kind));
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  if (!principals.exists(kind, name)) return store::no_such(principals, kind, name);
  if (kind == Kind::user) {
    TRY_LET(std::vector<std::string> users, principals.names(Kind::user));
    std::erase(users, name);
    const std::size_t keys =
        users.size() == 1 ? principals.keys(Kind::user, users.front()).value_or(std::vector<store::PublicKey>()).size()
                          : 0;
    warn_before_removal(users, keys, world);
  }
  TRY_LET(const Drifting drifting, drifting_secrets(project));
  // Out of the groups first, then out of every secret's links, and only then the keys themselves: stopped in between,
  // the same command goes on where it was.
  std::vector<std::string> changed;
  std::vector<std::string> left;
  const auto back_into_groups = [&]() -> Result<> {
    for (const std::string& group : left) TRY(store::set_member(project.repository, lock, group, kind, name, true));
    return {};
  };
  TRY_LET(const std::vector<std::string> groups, principals.names(Kind::group));
  for (const std::string& group : groups) {
    TRY_LET(const store::Acl members, principals.group(group));
    if (!std::ranges::binary_search(members.links.of(kind), name)) continue;
    TRY(store::set_member(project.repository, lock, group, kind, name, false));
    left.push_back(group);
    changed.push_back("sops/groups/" + group);
  }
  TRY_LET(Touched touched, bring_in_line(
                               project, lock, drifting,
                               [&](const store::SecretPlace&, const store::Links& present) {
                                 store::Links links = present;
                                 std::erase(links.of(kind), name);
                                 return std::optional(links);
                               },
                               {}, world, back_into_groups));
  TRY(store::write_principal(project.repository, lock, kind, name, {}));
  answer_with(world, "name", name);
  note(world, fmt::format("removed the {} '{}'", store::singular(kind), name));
  TRY(after_loss(project, lock, touched, given.has("rotate"), world));
  changed.insert(changed.end(), touched.folders.begin(), touched.folders.end());
  changed.push_back(fmt::format("sops/{}/{}", store::plural(kind), name));
  TRY(hand_to_git(project, changed, fmt::format("secrets: remove {} {}", store::singular(kind), name),
                  given.has("commit"), world));
  return Exit::done;
}

Result<Exit> with_keys(const Given& given, World& world, bool adding) {
  const std::string name = given.at("USER");
  TRY_LET(const std::vector<store::PublicKey> named, given_keys(given));
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  TRY_LET(std::vector<store::PublicKey> keys, principals.keys(Kind::user, name));
  for (const store::PublicKey& key : named) {
    const bool has = std::ranges::find(keys, key) != keys.end();
    if (adding == has) return fail(Errc::usage, "user '{}' has {} the key {}", name, has ? "already" : "not", key.text);
    if (adding) keys.push_back(key);
    if (!adding) std::erase(keys, key);
  }
  if (keys.empty())
    return hint(fail(Errc::usage, "this is the last key of user '{}'", name), "remove the user instead");
  if (!adding) {
    TRY_LET(const std::vector<std::string> users, principals.names(Kind::user));
    warn_before_removal(users, keys.size(), world);
  }
  return change_keys(given, world, Kind::user, name, keys, project, lock, adding ? "add keys of" : "remove keys of",
                     adding ? "added keys of" : "removed keys of");
}

Result<Exit> grant(const Given& given, World& world, Kind kind, bool adding) {
  const std::string name = given.at(parameter_of(kind));
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::SecretPlace chosen, chosen_secret(given.at("SECRET"), project));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  if (!principals.exists(kind, name)) return store::no_such(principals, kind, name);
  TRY_LET(const store::Acl acl, principals.acl(chosen.folder));
  store::Links links = acl.links;
  if (adding) links.add(kind, name);
  if (!adding) std::erase(links.of(kind), name);
  if (links == acl.links) {
    note(world, fmt::format("nothing to do: {} '{}' {} there", store::singular(kind), name, adding ? "is" : "is not"));
    return Exit::done;
  }
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  TRY_LET(const store::Adjustment change, store::adjustment(project.repository, principals, chosen, links));
  TRY_LET(const std::vector<store::PublicKey> named, principals.keys(kind, name));
  TRY(may_grant(principals, change, named, given, world));
  TRY(adjust(project.repository, lock, principals, keys, change, *world.clock));
  note(world, fmt::format("{} {} {} {}", store::singular(kind), name, adding ? "can now read" : "is no reader of",
                          chosen.name()));
  if (!adding && change.removed.empty()) note(world, "a group still gives access to it");
  if (!change.removed.empty())
    TRY(after_loss(project, lock, {.folders = {}, .lost = {chosen}}, given.has("rotate"), world));
  TRY(hand_to_git(
      project, {chosen.folder},
      fmt::format("vars: {} {} {} secret {}", adding ? "add" : "remove", name, adding ? "to" : "from", chosen.name()),
      given.has("commit"), world));
  return Exit::done;
}

}  // namespace

constinit const Command kSecretsUsersList = {
    "secrets users list",
    "show the project's users and their keys",
    "One line a key.",
    {},
    [](const Given& given, World& world) { return list(given, world, Kind::user); }};
constinit const Command kSecretsUsersGet = {
    "secrets users get", "show a user's keys", "One line a key.", kOneUser,
    [](const Given& given, World& world) { return get(given, world, Kind::user); }};
constinit const Command kSecretsUsersAdd = {
    "secrets users add", "add a user", "Gives no access to anything that is stored: groups and add-secret do.",
    kAddUser, [](const Given& given, World& world) { return add(given, world, Kind::user); }};
constinit const Command kSecretsUsersRemove = {
    "secrets users remove", "remove a user, from everything he can read",
    "Takes the user out of all groups and secrets, encrypts those anew without him, and names what he could read\n"
    "until now: that should be rotated, which --rotate does in the same step.",
    kRemoveUser, [](const Given& given, World& world) { return remove(given, world, Kind::user); }};
constinit const Command kSecretsUsersAddKey = {
    "secrets users add-key", "give a user another key",
    "Everything the user can read is encrypted to it as well: that is shown, and asked for.", kKeys,
    [](const Given& given, World& world) { return with_keys(given, world, true); }};
constinit const Command kSecretsUsersRemoveKey = {
    "secrets users remove-key", "take a key from a user", "Everything the user can read is encrypted anew without it.",
    kRemoveKeys, [](const Given& given, World& world) { return with_keys(given, world, false); }};
constinit const Command kSecretsUsersAddSecret = {
    "secrets users add-secret", "let a user read a secret", "Adds a link and encrypts the secret to the user as well.",
    kUserSecret, [](const Given& given, World& world) { return grant(given, world, Kind::user, true); }};
constinit const Command kSecretsUsersRemoveSecret = {
    "secrets users remove-secret", "take a secret from a user",
    "Removes the link and encrypts the secret anew. Until its value\n"
    "changes, which --rotate does in the same step, 'vars check' says who could read it.",
    kTakeFromUser, [](const Given& given, World& world) { return grant(given, world, Kind::user, false); }};
constinit const Command kSecretsMachinesList = {
    "secrets machines list",
    "show the machines that have a key",
    "One line a machine.",
    {},
    [](const Given& given, World& world) { return list(given, world, Kind::machine); }};
constinit const Command kSecretsMachinesGet = {
    "secrets machines get", "show a machine's key", "One line a key.", kOneMachine,
    [](const Given& given, World& world) { return get(given, world, Kind::machine); }};
constinit const Command kSecretsMachinesAdd = {
    "secrets machines add", "add a machine that has a key of its own",
    "Machines get a key by themselves with their first secret; this is for one that brings its own.", kAddMachine,
    [](const Given& given, World& world) { return add(given, world, Kind::machine); }};
constinit const Command kSecretsMachinesRemove = {
    "secrets machines remove", "remove a machine, from everything it can read",
    "Takes the machine out of all groups and secrets, encrypts those anew without it, and names what it could read\n"
    "until now: that should be rotated, which --rotate does in the same step.",
    kRemoveMachine, [](const Given& given, World& world) { return remove(given, world, Kind::machine); }};
constinit const Command kSecretsMachinesAddSecret = {
    "secrets machines add-secret", "let a machine read a secret", "Adds a link and encrypts the secret to it as well.",
    kMachineSecret, [](const Given& given, World& world) { return grant(given, world, Kind::machine, true); }};
constinit const Command kSecretsMachinesRemoveSecret = {
    "secrets machines remove-secret", "take a secret from a machine",
    "Removes the link and encrypts the secret anew. Until its value\n"
    "changes, which --rotate does in the same step, 'vars check' says which machine could read it.",
    kTakeFromMachine, [](const Given& given, World& world) { return grant(given, world, Kind::machine, false); }};

}  // namespace vmcred::app
