// Changing who can read what is stored: re-encryption to other readers, over one secret or all of them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "store/access.h"
#include "store/former.h"
#include "store/publish.h"
#include "store/repository.h"
#include "store/vault.h"

namespace vmcred::store {

/// One stored secret: a var's folder, one of clan's exports, or one below sops/secrets.
struct SecretPlace {
  std::string folder;        ///< "vars/shared/g/f", "vars/per-export/k/g/f", "sops/secrets/web-age.key"
  std::optional<VarId> var;  ///< when it is a var
  /// "g/f (shared)", "sops/secrets/web-age.key": for people.
  [[nodiscard]] std::string name() const;
};
/// Every stored secret, sorted.
Result<std::vector<SecretPlace>> secret_places(const Repository& repository);
/// Those that are no vars: exports and what stands below sops/secrets.
Result<std::vector<SecretPlace>> places_beside_vars(const Repository& repository);

/// The value of one.
Result<Secret> read_secret_place(const Repository& repository, const SecretPlace& place, const KeyRing& keys);

/// What a secret's readers should become.
struct Adjustment {
  SecretPlace place;
  Links links;                          ///< afterwards
  bool relink = false;                  ///< the links change
  std::vector<PublicKey> added = {};    ///< who will be able to read it
  std::vector<PublicKey> removed = {};  ///< who will not any more
  std::vector<BadLink> bad = {};        ///< links that go
  [[nodiscard]] bool needed() const { return relink || !added.empty() || !removed.empty() || !bad.empty(); }
};

/// The adjustment that makes a secret's links and recipients agree; `links`: what the links should be (default: as they
/// are, without the bad ones).
Result<Adjustment> adjustment(const Repository& repository, Principals& principals, const SecretPlace& place,
                              const std::optional<Links>& links = {});

/// What `fix` would do for a declared var: its machine is among its readers exactly when it is deployed, default groups
/// are added, everybody else stays. Not for an inferred declaration: nobody is to read more by a guess.
Links fixed_links(const declare::Declaration& declaration, const Wanted& value, const Links& present);

/// The machines of `value` that its links, groups included, do not let read it. Recipients may well agree with such
/// links; `activate` fails on those machines all the same.
std::vector<std::string> machines_left_out(Principals& principals, const Links& links, const Wanted& value);

/// An adjustment with its new ciphertext in memory: whatever can be refused was refused, nothing was written.
struct PreparedAdjustment {
  SecretPlace place;
  Change change;                            ///< of the secret's own folder
  bool lost = false;                        ///< somebody can no longer read it: it is due for rotation
  std::optional<AccessChange> access = {};  ///< who lost or regained a var, for store/former.h
  std::optional<std::pair<std::string, std::string>> digests = {};  ///< of the value before and after, where it changed
};

/// Works one out. `denied` when nobody would be left who can read it, and when no key of `keys` opens it and it must be
/// opened. Where somebody loses access, the value is encrypted anew under a new key.
Result<PreparedAdjustment> prepare(const Repository& repository, Principals& principals, const KeyRing& keys,
                                   const Adjustment& what, const Clock& clock = real_clock());

/// Publishes them, and brings along the records of those values that are made from them, so that they do not become
/// stale.
Result<> carry_out(const Repository& repository, const Lock& lock, std::span<const PreparedAdjustment> all);

/// Both, for a single secret.
Result<> adjust(const Repository& repository, const Lock& lock, Principals& principals, const KeyRing& keys,
                const Adjustment& what, const Clock& clock = real_clock());

/// The machine whose private key the secret in `folder` is: "web" for "sops/secrets/web-age.key"; "" where it is none.
std::string machine_of_key_folder(std::string_view folder);

/// The names of users and machines behind a key ("user alice"); the key itself where nobody has it.
std::string owner_of(Principals& principals, const PublicKey& key);

/// Adds or takes a member of a group: a link in sops/groups/G. A group that becomes empty goes.
Result<> set_member(const Repository& repository, const Lock& lock, const std::string& group, Kind kind,
                    const std::string& name, bool member);

/// Writes (or, without keys, removes) a user or machine.
Result<> write_principal(const Repository& repository, const Lock& lock, Kind kind, const std::string& name,
                         const std::vector<PublicKey>& keys);

}  // namespace vmcred::store
