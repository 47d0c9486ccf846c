// Making secrets for the right readers: the links a new value gets, its encryption, and the keys of machines.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "age/keys.h"
#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "store/access.h"
#include "store/publish.h"
#include "store/remembered_readers.h"
#include "store/repository.h"

namespace vmcred::store {

/// Who gets a new value: the machines it is deployed to, their default groups, and who writes it (a user's name).
Links links_for(const declare::Declaration& declaration, const Wanted& value, const std::string& writer);

/// A value to be stored.
struct NewValue {
  std::string file;
  Form form = Form::secret;
  Secret value;
  Links links = {};  ///< for secrets
};

/// Encrypts for readers; keeps the parsed keys, so that many values for the same readers cost no parsing.
class Sealer {
 public:
  explicit Sealer(Principals& principals, const Clock& clock = real_clock())
      : principals_(&principals), clock_(&clock) {}

  /// A sops file that the readers of `links` can open. Nobody is `usage`; a reader with a PGP key is `unavailable`.
  Result<std::string> seal(const Secret& value, const Links& links);

  /// Adds one value to a change of the generator's folder (`folder`: below the project). A value that is stored already
  /// keeps its readers; if its recipients are not those of its links, it is refused (`mismatch`; hint: fix), so that
  /// nobody gains a new value by slipping a link in.
  Result<> add(Change& change, const Repository& repository, const GeneratorId& id, const NewValue& value);

  /// The age recipients of some readers.
  Result<age::Recipients> recipients(const std::vector<PublicKey>& readers);

 private:
  Principals* principals_;
  const Clock* clock_;
  std::map<std::string, age::RecipientPtr> parsed_ = {};
};

/// Whom a secret file with this text is encrypted to, sorted; needs no key. `path`: for messages.
Result<std::vector<PublicKey>> recipients_of(std::string_view text, const std::string& path);

/// How the recipients of a stored secret compare to its links.
struct Drift {
  std::vector<PublicKey> added = {};    ///< the links name them, the file does not
  std::vector<PublicKey> removed = {};  ///< the file names them, no link does
  std::vector<BadLink> bad = {};
  Links links = {};  ///< the good ones
  [[nodiscard]] bool none() const { return added.empty() && removed.empty() && bad.empty(); }
};
/// For the secret file at `folder`/secret; needs no key.
Result<Drift> drift(Principals& principals, const std::string& folder);
/// The same for one file of a generator whose folder is open already. With `memory`, what has not changed since it was
/// read is not read again (where signatures are demanded, everything is).
Result<Drift> drift(Principals& principals, const GeneratorFolder& generator, const std::string& file,
                    RememberedReaders* memory = nullptr);

/// Gives a machine its key pair where it has none: the private half encrypted in sops/secrets/M-age.key for the writer
/// and the machine's default groups, then the public half in sops/machines/M. True when one was made.
Result<bool> ensure_machine_key(const Repository& repository, const Lock& lock, const declare::Machine& machine,
                                const std::string& writer, const KeyRing& keys);

/// The secret that holds a machine's private key: "sops/secrets/M-age.key".
std::string machine_key_folder(const std::string& machine);

/// A new key pair for a machine, whose old one somebody may know. In steps of which each leaves all that the machine
/// may read readable to it: the file with both private keys, the new public key, then (finish_machine_key, once
/// everything is encrypted to that) the file with the new key alone.
Result<> begin_machine_key(const Repository& repository, const Lock& lock, const std::string& machine,
                           const KeyRing& keys);
Result<> finish_machine_key(const Repository& repository, const Lock& lock, const std::string& machine,
                            const KeyRing& keys);

/// The private key of a machine, for those who may read it.
Result<Secret> machine_key(const Repository& repository, const std::string& machine, const KeyRing& keys);

/// Adds (or replaces) a user with these keys.
Result<> write_user(const Repository& repository, const Lock& lock, const std::string& user,
                    const std::vector<PublicKey>& keys);

}  // namespace vmcred::store
