// vmcred secrets groups: users and machines under one name.
#include <algorithm>

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

constexpr Parameter kAddUser[] = {{"GROUP", "a group; made with its first member"},
                                  {"USER", "a user"},
                                  kWiden,
                                  {"--commit", "commit the change in git"}};
constexpr Parameter kRemoveUser[] = {{"GROUP", "a group; gone with its last member"},
                                     {"USER", "a user"},
                                     {"--rotate", "make new values for all that he can no longer read"},
                                     {"--commit", "commit the change in git"}};
constexpr Parameter kAddMachine[] = {{"GROUP", "a group; made with its first member"},
                                     {"MACHINE", "a machine"},
                                     kWiden,
                                     {"--commit", "commit the change in git"}};
constexpr Parameter kRemoveMachine[] = {{"GROUP", "a group; gone with its last member"},
                                        {"MACHINE", "a machine"},
                                        {"--rotate", "make new values for all that it can no longer read"},
                                        {"--commit", "commit the change in git"}};
constexpr Parameter kSecret[] = {{"GROUP", "a group"},
                                 {"SECRET", "GENERATOR/FILE (or OWNER:GENERATOR/FILE)"},
                                 kWiden,
                                 {"--commit", "commit the change in git"}};

constexpr Parameter kTakeSecret[] = {{"GROUP", "a group"},
                                     {"SECRET", "GENERATOR/FILE (or OWNER:GENERATOR/FILE)"},
                                     {"--rotate", "make a new value, which its members have never seen"},
                                     {"--commit", "commit the change in git"}};

Result<Exit> list(const Given&, World& world) {
  TRY_LET(const Project project, open_project(world));
  store::Principals principals(project.repository);
  TRY_LET(const std::vector<std::string> names, principals.names(Kind::group));
  Json array = Json::array();
  std::vector<std::vector<std::string>> rows;
  for (const std::string& name : names) {
    TRY_LET(const store::Acl members, principals.group(name));
    Json item = Json::object();
    item.set("name", name);
    item.set("users", Json::strings(members.links.users));
    item.set("machines", Json::strings(members.links.machines));
    array.push(std::move(item));
    std::vector<std::string> all;
    for (const std::string& user : members.links.users) all.push_back("user " + user);
    for (const std::string& machine : members.links.machines) all.push_back("machine " + machine);
    rows.push_back({name, enumeration(all)});
  }
  if (world.json) {
    answer_with(world, "groups", std::move(array));
  } else {
    print(world, table(rows));
  }
  return Exit::done;
}

Result<Exit> member(const Given& given, World& world, Kind kind, bool adding) {
  const std::string group = given.at("GROUP");
  const std::string name = given.at(kind == Kind::user ? "USER" : "MACHINE");
  TRY(store::check_group_name(group));
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  if (!principals.exists(kind, name)) return store::no_such(principals, kind, name);
  TRY_LET(const Drifting drifting, drifting_secrets(project));
  TRY(store::set_member(project.repository, lock, group, kind, name, adding));
  Touched touched;
  const bool last = !store::Principals(project.repository).exists(Kind::group, group);
  TRY_LET(touched, bring_in_line(
                       project, lock, drifting,
                       [&](const store::SecretPlace&, const store::Links& present) {
                         store::Links links = present;
                         if (last) std::erase(links.groups, group);
                         return std::optional(links);
                       },
                       by_the_rule(given, world), world,
                       [&] { return store::set_member(project.repository, lock, group, kind, name, !adding); }));
  note(world,
       fmt::format("{} '{}' {} the group '{}'", store::singular(kind), name, adding ? "is in" : "is not in", group));
  answer_with(world, "name", group);
  answer_with(world, "member", name);
  TRY(after_loss(project, lock, touched, given.has("rotate"), world));
  touched.folders.push_back("sops/groups/" + group);
  TRY(hand_to_git(
      project, touched.folders,
      fmt::format("secrets: {} {} {} group {}", adding ? "add" : "remove", name, adding ? "to" : "from", group),
      given.has("commit"), world));
  return Exit::done;
}

Result<Exit> grant(const Given& given, World& world, bool adding) {
  const std::string group = given.at("GROUP");
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::SecretPlace chosen, chosen_secret(given.at("SECRET"), project));
  TRY_LET(const store::Lock lock, lock_store(project, world));
  store::Principals principals(project.repository);
  if (!principals.exists(Kind::group, group)) return store::no_such(principals, Kind::group, group);
  TRY_LET(const store::Acl acl, principals.acl(chosen.folder));
  store::Links links = acl.links;
  if (adding) links.add(Kind::group, group);
  if (!adding) std::erase(links.groups, group);
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  TRY_LET(const store::Adjustment change, store::adjustment(project.repository, principals, chosen, links));
  TRY_LET(const std::vector<store::PublicKey> named, principals.readers({.groups = {group}}));
  TRY(may_grant(principals, change, named, given, world));
  TRY(adjust(project.repository, lock, principals, keys, change, *world.clock));
  note(world, fmt::format("group {} {} {}", group, adding ? "can now read" : "is no reader of", chosen.name()));
  if (!change.removed.empty())
    TRY(after_loss(project, lock, {.folders = {}, .lost = {chosen}}, given.has("rotate"), world));
  TRY(hand_to_git(project, {chosen.folder},
                  fmt::format("vars: {} group {} {} secret {}", adding ? "add" : "remove", group,
                              adding ? "to" : "from", chosen.name()),
                  given.has("commit"), world));
  return Exit::done;
}

}  // namespace

constinit const Command kSecretsGroupsList = {
    "secrets groups list", "show the groups and who is in them", "One line a group.", {}, list};
constinit const Command kSecretsGroupsAddUser = {
    "secrets groups add-user", "put a user into a group",
    "He can then read all that the group can read: that is shown, and asked for.", kAddUser,
    [](const Given& given, World& world) { return member(given, world, Kind::user, true); }};
constinit const Command kSecretsGroupsRemoveUser = {
    "secrets groups remove-user", "take a user out of a group", "What he could read only through it is encrypted anew.",
    kRemoveUser, [](const Given& given, World& world) { return member(given, world, Kind::user, false); }};
constinit const Command kSecretsGroupsAddMachine = {
    "secrets groups add-machine", "put a machine into a group",
    "It can then read all that the group can read: that is shown, and asked for.", kAddMachine,
    [](const Given& given, World& world) { return member(given, world, Kind::machine, true); }};
constinit const Command kSecretsGroupsRemoveMachine = {
    "secrets groups remove-machine", "take a machine out of a group",
    "What it could read only through it is encrypted anew.", kRemoveMachine,
    [](const Given& given, World& world) { return member(given, world, Kind::machine, false); }};
constinit const Command kSecretsGroupsAddSecret = {
    "secrets groups add-secret", "let a group read a secret", "Adds a link and encrypts the secret to its members.",
    kSecret, [](const Given& given, World& world) { return grant(given, world, true); }};
constinit const Command kSecretsGroupsRemoveSecret = {
    "secrets groups remove-secret", "take a secret from a group",
    "Removes the link and encrypts the secret anew. Until its\n"
    "value changes, which --rotate does in the same step, 'vars check' says who could read it.",
    kTakeSecret, [](const Given& given, World& world) { return grant(given, world, false); }};

}  // namespace vmcred::app
