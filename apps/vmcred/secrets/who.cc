// vmcred secrets who, what and key: who can read what, and with which key you would.
#include <algorithm>
#include <set>

#include "base/json.h"
#include "base/spelling.h"
#include "secrets/access.h"
#include "secrets/commands.h"
#include "store/address.h"
#include "store/vault.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "terminal/terminal.h"

namespace vmcred::app {
namespace {

using store::Kind;

constexpr Parameter kWho[] = {{"SECRET", "GENERATOR/FILE (or OWNER:GENERATOR/FILE), or a name below sops/secrets"}};
constexpr Parameter kWhat[] = {{"NAME", "a user, a machine or a group"}};

/// Who can read a secret by its links, each with the way to it ("", "through group admins").
std::map<std::string, std::string> readers_of(store::Principals& principals, const store::Links& links) {
  std::map<std::string, std::string> readers;
  for (const std::string& group : links.groups) {
    const Result<store::Acl> members = principals.group(group);
    if (!members) continue;
    for (const Kind kind : {Kind::user, Kind::machine})
      for (const std::string& name : members->links.of(kind))
        readers[fmt::format("{} {}", store::singular(kind), name)] = "through group " + group;
  }
  for (const Kind kind : {Kind::user, Kind::machine})
    for (const std::string& name : links.of(kind)) readers[fmt::format("{} {}", store::singular(kind), name)] = "";
  return readers;
}

Result<Exit> who(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::SecretPlace chosen, chosen_secret(given.at("SECRET"), project));
  store::Principals principals(project.repository);
  TRY_LET(const store::Acl acl, principals.acl(chosen.folder));
  TRY_LET(const store::Drift drift, store::drift(principals, chosen.folder));
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, way] : readers_of(principals, acl.links)) rows.push_back({name, way});
  for (const store::PublicKey& key : drift.removed)
    rows.push_back({store::owner_of(principals, key), "it is encrypted to this key, no link says so"});
  for (const store::PublicKey& key : drift.added)
    rows.push_back({store::owner_of(principals, key), "a link names it, the secret is not encrypted to this key"});
  if (world.json) {
    Json list = Json::array();
    for (const auto& row : rows) {
      Json item = Json::object();
      item.set("reader", row[0]);
      item.set("how", row[1]);
      list.push(std::move(item));
    }
    answer_with(world, "secret", store::address_of(chosen));
    answer_with(world, "readers", std::move(list));
  } else {
    print(world, table(rows));
  }
  return Exit::done;
}

/// The machines whose private key somebody can read: with it he can read all that they can.
Result<std::vector<std::string>> machines_opened_by(store::Principals& principals, const std::string& name) {
  TRY_LET(const std::vector<std::string> all, principals.names(Kind::machine));
  std::vector<std::string> opened;
  for (const std::string& machine : all) {
    TRY_LET(const store::Acl acl, principals.acl(store::machine_key_folder(machine)));
    const bool directly = std::ranges::binary_search(acl.links.groups, name);
    if (directly || store::reads(principals, acl.links, Kind::user, name)) opened.push_back(machine);
  }
  return opened;
}

Result<Exit> what(const Given& given, World& world) {
  const std::string name = given.at("NAME");
  TRY_LET(const Project project, open_project(world));
  store::Principals principals(project.repository);
  const bool known = principals.exists(Kind::user, name) || principals.exists(Kind::machine, name) ||
                     principals.exists(Kind::group, name);
  if (!known) {
    std::vector<std::string> all;
    for (const Kind kind : {Kind::user, Kind::machine, Kind::group})
      std::ranges::copy(principals.names(kind).value_or(std::vector<std::string>()), std::back_inserter(all));
    return hint(fail(Errc::not_found, "there is no user, machine or group '{}'", name), near_or_known(name, all));
  }
  TRY_LET(const std::vector<store::SecretPlace> places, store::secret_places(project.repository));
  TRY_LET(const std::vector<std::string> machines, machines_opened_by(principals, name));
  std::vector<std::vector<std::string>> rows;
  Json list = Json::array();
  for (const store::SecretPlace& place : places) {
    TRY_LET(const store::Acl acl, principals.acl(place.folder));
    std::optional<std::string> way;
    for (const std::string& machine : machines)
      if (store::reads(principals, acl.links, Kind::machine, machine))
        way = fmt::format("with the key of machine {}", machine);
    if (std::ranges::binary_search(acl.links.groups, name)) way = "";
    for (const auto& [reader, how] : readers_of(principals, acl.links))
      if (reader == "user " + name || reader == "machine " + name) way = how;
    if (!way) continue;
    rows.push_back({place.name(), *way});
    Json item = Json::object();
    item.set("secret", place.name());
    item.set("address", store::address_of(place));
    item.set("how", *way);
    list.push(std::move(item));
  }
  if (world.json) {
    answer_with(world, "secrets", std::move(list));
  } else if (rows.empty()) {
    note(world, fmt::format("'{}' can read nothing", name));
  } else {
    print(world, table(rows));
  }
  return Exit::done;
}

Result<Exit> key(const Given&, World& world) {
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  if (keys.empty()) return hint(fail(Errc::not_found, "you have no private key"), "run 'vmcred vars keygen'");
  for (const std::string& source : keys.sources()) note(world, "from " + source);
  answer_with(world, "keys", Json::strings(keys.recipients()));
  answer_with(world, "sources", Json::strings(keys.sources()));
  if (world.json) return Exit::done;
  for (const std::string& recipient : keys.recipients()) print(world, recipient + "\n");
  return Exit::done;
}

}  // namespace

constinit const Command kSecretsWho = {"secrets who", "show who can read a secret",
                                       "By its access links, and where its recipients differ from them. Needs no key.",
                                       kWho, who};
constinit const Command kSecretsWhat = {
    "secrets what", "show what somebody can read",
    "By the access links of all secrets, groups and the keys of machines included.\nNeeds no key.", kWhat, what};
constinit const Command kSecretsKeyShow = {
    "secrets key show", "show the public half of your keys", "And where the private half was found.", {}, key};

}  // namespace vmcred::app
