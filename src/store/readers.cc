#include "store/readers.h"

#include <fcntl.h>

#include <algorithm>

#include "sops/sops.h"
#include "store/entries.h"
#include "store/keys.h"
#include "store/record.h"
#include "store/refused.h"
#include "store/statement.h"
#include "store/vault.h"

namespace vmcred::store {
namespace {

bool stands(const Repository& repository, const std::string& path) {
  return open_beneath(repository.root(), path, O_PATH | O_CLOEXEC).has_value();
}

/// Values got new ciphertexts without becoming other values: `digests` by rel_path, before and after. Those made from
/// them know them by the old ones; this adds to `changes` what their records become.
using Digests = std::map<std::string, std::pair<std::string, std::string>>;
Result<> carry_digests(const Repository& repository, const Digests& digests, std::map<std::string, Change>& changes) {
  TRY_LET(const std::vector<GeneratorId> generators, repository.generators());
  for (const GeneratorId& id : generators) {
    Result<std::optional<Record>> record = read_record(repository, id);
    if (!record || !*record) continue;  // none, or damaged: that is another command's finding
    bool changed = false;
    for (auto& [key, digest] : (*record)->dependencies) {
      const auto known = digests.find(key);
      if (known == digests.end() || known->second.first != digest) continue;
      digest = known->second.second;
      changed = true;
    }
    if (changed) changes[Repository::generator_path(id)].files[std::string(kRecordName)] = print_record(**record);
  }
  return {};
}

/// clan's values for exports: vars/per-export/KEY/GENERATOR/FILE. No declaration of ours names them, but who may read
/// them is our business as well.
Result<> add_exports(const Repository& repository, std::vector<SecretPlace>& places) {
  std::vector<std::string> folders = {"vars/per-export"};
  for (int depth = 0; depth < 3; ++depth) {
    std::vector<std::string> inner;
    for (const std::string& folder : folders) {
      TRY_LET(const std::vector<Entry> entries, entries_in(repository.root(), folder));
      for (const Entry& entry : entries)
        if (entry.type == Entry::Type::folder) inner.push_back(folder + "/" + entry.name);
    }
    folders = std::move(inner);
  }
  for (std::string& folder : folders)
    if (stands(repository, folder + "/secret")) places.push_back({.folder = std::move(folder), .var = {}});
  return {};
}

std::vector<std::string> owners_of(Principals& principals, const std::vector<PublicKey>& keys) {
  std::vector<std::string> names;
  for (const PublicKey& key : keys) names.push_back(owner_of(principals, key));
  return names;
}

/// Remembers beside the values who lost them.
Result<> note_losses(const Repository& repository, std::span<const PreparedAdjustment> all,
                     std::map<std::string, Change>& changes) {
  std::map<GeneratorId, std::pair<Former, Former>> before_and_after;
  for (const PreparedAdjustment& prepared : all) {
    if (!prepared.access) continue;
    const GeneratorId& id = prepared.place.var->generator;
    if (!before_and_after.contains(id)) {
      TRY_LET(const GeneratorFolder folder, GeneratorFolder::open(repository, id));
      TRY_LET(const Former former, read_former(folder));
      before_and_after[id] = {former, former};
    }
    note_access(before_and_after[id].second, *prepared.access);
  }
  for (const auto& [id, formers] : before_and_after) {
    const auto& [before, after] = formers;
    if (before == after) continue;
    Change& change = changes[Repository::generator_path(id)];
    if (after.empty()) {
      change.remove.emplace_back(kFormerName);
    } else {
      change.files[std::string(kFormerName)] = print_former(after);
    }
  }
  return {};
}

}  // namespace

std::string SecretPlace::name() const { return var ? spoken(*var) : folder; }

Result<std::vector<SecretPlace>> secret_places(const Repository& repository) {
  std::vector<SecretPlace> places;
  TRY_LET(const std::vector<VarId> vars, repository.list());
  for (const VarId& var : vars)
    if (repository.form(var) == Form::secret)
      places.push_back({.folder = Repository::generator_path(var.generator) + "/" + var.file, .var = var});
  TRY_LET(std::vector<SecretPlace> others, places_beside_vars(repository));
  std::ranges::move(others, std::back_inserter(places));
  return places;
}

Result<std::vector<SecretPlace>> places_beside_vars(const Repository& repository) {
  std::vector<SecretPlace> places;
  TRY(add_exports(repository, places));
  Result<std::vector<std::string>> names = list_folder(join_path(repository.folder(), "sops/secrets"));
  if (!names && names.error().code != Errc::not_found) return std::unexpected(std::move(names).error());
  if (names)
    for (const std::string& name : *names) {
      std::string folder = "sops/secrets/" + name;
      if (stands(repository, folder + "/secret")) places.push_back({.folder = std::move(folder), .var = {}});
    }
  return places;
}

Result<Secret> read_secret_place(const Repository& repository, const SecretPlace& place, const KeyRing& keys) {
  if (place.var) return repository.read_var(*place.var, keys);
  const std::string path = place.folder + "/secret";
  TRY_LET(const std::string text, repository.read_proven(path));
  TRY_LET(const sops::File file, in(fmt::format("read '{}'", path), sops::parse(text)));
  Result<Secret> value = in(fmt::format("decrypt '{}'", path), sops::decrypt(file, keys.keys().identities));
  if (!value) return std::unexpected(refused(repository, place.folder, keys, std::move(value).error()));
  return value;
}

Result<Adjustment> adjustment(const Repository& repository, Principals& principals, const SecretPlace& place,
                              const std::optional<Links>& links) {
  TRY_LET(Acl acl, principals.acl(place.folder));
  Adjustment result{.place = place, .links = links.value_or(acl.links), .bad = std::move(acl.bad)};
  result.relink = result.links != acl.links;
  TRY_LET(const std::string text, repository.read_proven(place.folder + "/secret"));
  TRY_LET(const std::vector<PublicKey> current, recipients_of(text, place.folder + "/secret"));
  TRY_LET(const std::vector<PublicKey> wanted, principals.readers(result.links));
  std::ranges::set_difference(wanted, current, std::back_inserter(result.added));
  std::ranges::set_difference(current, wanted, std::back_inserter(result.removed));
  return result;
}

Links fixed_links(const declare::Declaration& declaration, const Wanted& value, const Links& present) {
  const Links declared = links_for(declaration, value, {});
  Links links = present;
  links.machines = declared.machines;
  for (const std::string& group : declared.groups) links.add(Kind::group, group);
  return links;
}

std::vector<std::string> machines_left_out(Principals& principals, const Links& links, const Wanted& value) {
  std::vector<std::string> left_out;
  for (const std::string& machine : value.machines)
    if (!reads(principals, links, Kind::machine, machine)) left_out.push_back(machine);
  return left_out;
}

Result<PreparedAdjustment> prepare(const Repository& repository, Principals& principals, const KeyRing& keys,
                                   const Adjustment& what, const Clock& clock) {
  const std::string path = what.place.folder + "/secret";
  const auto doing = [&](auto result) {
    return in(fmt::format("change the readers of {}", what.place.name()), std::move(result));
  };
  TRY_LET(const std::string text, repository.read_proven(path));
  TRY_LET(const sops::File file, doing(sops::parse(text)));
  PreparedAdjustment prepared = {.place = what.place, .change = {}, .lost = !what.removed.empty()};
  for (const PublicKey& key : what.added)
    if (key.type == "pgp")
      return hint(fail(Errc::unavailable,
                       "change the readers of {}: the PGP key {} is to be added, and vmcred encrypts to age keys alone",
                       what.place.name(), key.text),
                  "give its owner an age key, or let clan do it");
  if (!what.added.empty() || !what.removed.empty()) {
    Sealer sealer(principals, clock);
    TRY_LET(const std::vector<PublicKey> readers, principals.readers(what.links));
    if (readers.empty())
      return hint(fail(Errc::denied, "nobody would be left who can read {}", what.place.name()),
                  "give it another reader first");
    // A PGP entry that stays is kept by rewrap; only age keys are ours to wrap.
    std::vector<PublicKey> age_readers;
    std::ranges::copy_if(readers, std::back_inserter(age_readers),
                         [](const PublicKey& key) { return key.type == "age"; });
    TRY_LET(const age::Recipients wanted, doing(sealer.recipients(age_readers)));
    TRY_LET(const sops::File rewrapped, doing(sops::rewrap(file, wanted, keys.keys().identities, {.clock = clock})));
    std::string printed = sops::print(rewrapped);
    if (what.place.var) {
      prepared.access = AccessChange{.file = what.place.var->file,
                                     .digest_before = *value_digest(Form::secret, text),
                                     .digest_after = *value_digest(Form::secret, printed),
                                     .lost = owners_of(principals, what.removed),
                                     .regained = owners_of(principals, what.added),
                                     .now = clock.now()};
    }
    if (rewrapped.data != file.data)
      prepared.digests = {*value_digest(Form::secret, text), *value_digest(Form::secret, printed)};
    prepared.change.files["secret"] = std::move(printed);
  }
  if (what.relink || !what.bad.empty()) set_links(prepared.change, what.place.folder, "", what.links);
  return prepared;
}

Result<> carry_out(const Repository& repository, const Lock& lock, std::span<const PreparedAdjustment> all) {
  std::map<std::string, Change> changes;
  Digests digests;
  for (const PreparedAdjustment& prepared : all) {
    // A value's folder lies in its generator's: the generator is what changes as one.
    const std::string whole = signed_folder(prepared.place.folder);
    if (prepared.digests && prepared.place.var) digests[rel_path(*prepared.place.var)] = *prepared.digests;
    if (whole == prepared.place.folder) {
      changes[whole] = prepared.change;
      continue;
    }
    const std::string prefix = prepared.place.folder.substr(whole.size() + 1) + "/";
    Change& outer = changes[whole];
    for (const auto& [file_path, bytes] : prepared.change.files) outer.files[prefix + file_path] = bytes;
    for (const auto& [link, target] : prepared.change.links) outer.links[prefix + link] = target;
    for (const std::string& gone : prepared.change.remove) outer.remove.push_back(prefix + gone);
  }
  if (!digests.empty()) TRY(carry_digests(repository, digests, changes));
  TRY(note_losses(repository, all, changes));
  std::vector<FolderChange> list;
  for (auto& [folder, change] : changes) list.push_back({.folder = folder, .change = std::move(change)});
  return publish(repository, lock, list);
}

Result<> adjust(const Repository& repository, const Lock& lock, Principals& principals, const KeyRing& keys,
                const Adjustment& what, const Clock& clock) {
  TRY_LET(const PreparedAdjustment prepared, prepare(repository, principals, keys, what, clock));
  return carry_out(repository, lock, {&prepared, 1});
}

std::string machine_of_key_folder(std::string_view folder) {
  constexpr std::string_view kBefore = "sops/secrets/";
  constexpr std::string_view kAfter = "-age.key";
  if (!folder.starts_with(kBefore) || !folder.ends_with(kAfter) || folder.size() <= kBefore.size() + kAfter.size())
    return {};
  return std::string(folder.substr(kBefore.size(), folder.size() - kBefore.size() - kAfter.size()));
}

std::string owner_of(Principals& principals, const PublicKey& key) {
  for (const Kind kind : {Kind::user, Kind::machine}) {
    const Result<std::vector<std::string>> names = principals.names(kind);
    if (!names) continue;
    for (const std::string& name : *names) {
      const Result<std::vector<PublicKey>> keys = principals.keys(kind, name);
      if (keys && std::ranges::find(*keys, key) != keys->end()) return fmt::format("{} {}", singular(kind), name);
    }
  }
  return fmt::format("the unknown key {}", key.text);
}

Result<> set_member(const Repository& repository, const Lock& lock, const std::string& group, Kind kind,
                    const std::string& name, bool member) {
  const std::string folder = "sops/groups/" + group;
  const std::string link = fmt::format("{}/{}", plural(kind), name);
  Change change;
  if (member) {
    change.links[link] = link_target(folder, kind, name);
  } else {
    change.remove.push_back(link);
  }
  return publish(repository, lock, folder, change);
}

Result<> write_principal(const Repository& repository, const Lock& lock, Kind kind, const std::string& name,
                         const std::vector<PublicKey>& keys) {
  const std::string folder = fmt::format("sops/{}/{}", plural(kind), name);
  if (keys.empty()) return retire(repository, lock, folder);
  Change change;
  change.files["key.json"] = print_key_file(keys);
  return publish(repository, lock, folder, change);
}

}  // namespace vmcred::store
