#include "adopt/owners.h"

#include <algorithm>

#include "base/sha256.h"

namespace vmcred::adopt {
namespace {

using store::Kind;

/// A user's name is at most 32 characters and begins with a letter; a key without any name is called after its digest.
std::string principal_name(const std::string& recipient, const KeyName& known) {
  std::string name = known.name.substr(0, known.machine ? 63 : 32);
  while (name.ends_with('-')) name.pop_back();
  const bool good = !name.empty() && (known.machine || (name.front() >= 'a' && name.front() <= 'z'));
  if (good) return name;
  const Digest digest = sha256(bytes_of(recipient));
  return fmt::format("key-{:02x}{:02x}{:02x}{:02x}", digest[0], digest[1], digest[2], digest[3]);
}

}  // namespace

Result<Owners> Owners::of(const store::Repository& repository, std::map<std::string, KeyName> names) {
  Owners owners;
  owners.names_ = std::move(names);
  store::Principals principals(repository);
  for (const Kind kind : {Kind::user, Kind::machine}) {
    TRY_LET(const std::vector<std::string> known, principals.names(kind));
    for (const std::string& name : known) {
      owners.taken_.insert({kind, name});
      TRY_LET(const std::vector<store::PublicKey> keys, principals.keys(kind, name));
      Owner owner{.kind = kind, .name = name, .keys = {}};
      for (const store::PublicKey& key : keys) owner.keys.push_back(key.text);
      owner.keys = normal_recipients(std::move(owner.keys));
      for (const std::string& key : owner.keys) owners.present_[key].push_back(owner);
    }
  }
  return owners;
}

const Owners::Owner& Owners::made_for(const std::string& recipient) {
  const auto known = made_.find(recipient);
  if (known != made_.end()) return known->second;
  KeyName wanted = names_[recipient];
  if (const auto present = present_.find(recipient); present != present_.end())
    wanted = {present->second.front().name, present->second.front().kind == Kind::machine};
  const Kind kind = wanted.machine ? Kind::machine : Kind::user;
  const std::string first = principal_name(recipient, wanted);
  std::string name = first;
  for (int next = 2; taken_.contains({kind, name}); ++next) name = fmt::format("{}-{}", first.substr(0, 28), next);
  taken_.insert({kind, name});
  return made_.emplace(recipient, Owner{.kind = kind, .name = name, .keys = {recipient}}).first->second;
}

store::Links Owners::links_for(const std::vector<std::string>& recipients) {
  store::Links links;
  for (const std::string& recipient : recipients) {
    const Owner* owner = nullptr;
    if (const auto present = present_.find(recipient); present != present_.end())
      for (const Owner& each : present->second)
        if (owner == nullptr && std::ranges::includes(recipients, each.keys)) owner = &each;
    if (owner == nullptr) owner = &made_for(recipient);
    links.add(owner->kind, owner->name);
  }
  return links;
}

void Owners::add_to(Adoption& adoption) const {
  for (const auto& [key, owner] : made_) {
    store::Change change;
    change.files["key.json"] = store::print_key_file({{.type = "age", .text = key}});
    adoption.changes.push_back(
        {.folder = fmt::format("sops/{}/{}", store::plural(owner.kind), owner.name), .change = std::move(change)});
    (owner.kind == Kind::machine ? adoption.machines : adoption.users).push_back(owner.name);
    if (owner.name == principal_name(key, {}))
      adoption.notes.push_back(fmt::format(
          "no name is known of the key {}: it is the user '{}'; if a machine has it, '--host NAME=KEY' says so", key,
          owner.name));
  }
  std::ranges::sort(adoption.machines);
  std::ranges::sort(adoption.users);
}

}  // namespace vmcred::adopt
