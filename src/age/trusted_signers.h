// Whose signatures count: OpenSSH's allowed_signers file (ssh-keygen(1), ALLOWED SIGNERS), the part of it that we use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "age/ssh_key.h"
#include "base/clock.h"
#include "base/result.h"

namespace vmcred::age {

/// The keys that somebody trusts, each with a name.
///
///     alice@example.org namespaces="vmcred,vmcred-manifest" ssh-ed25519 AAAA… laptop
///
/// Options: `namespaces`, `valid-after`, `valid-before` (times are UTC here). Keys of other kinds than Ed25519 grant
/// nothing. Certificate authorities and unknown options are `invalid_data`: passing over them could trust too much.
class TrustedSigners {
 public:
  static Result<TrustedSigners> parse(std::string_view text);

  /// The name of the signer when `signature` was made over exactly this name space and message by a key that is trusted
  /// for it at this time. `denied`: a stranger signed it. Others as ssh_verify().
  [[nodiscard]] Result<std::string> verify(std::string_view signature, std::string_view name_space, Bytes message,
                                           SystemTime now) const;
  /// Whether a signature of this key would count now.
  [[nodiscard]] bool trusts(const SshPublicKey& key, std::string_view name_space, SystemTime now) const;

  [[nodiscard]] bool empty() const { return signers_.empty(); }

 private:
  struct Signer {
    std::string name;
    std::string wire;
    std::vector<std::string> name_spaces = {};  ///< none: all
    SystemTime after = SystemTime::min();
    SystemTime before = SystemTime::max();
  };
  [[nodiscard]] const Signer* find(const std::string& wire, std::string_view name_space, SystemTime now) const;
  static Result<> read_option(std::string_view option, Signer& signer);

  std::vector<Signer> signers_;
};

}  // namespace vmcred::age
