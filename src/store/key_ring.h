// The private keys that this process may use, and where they were found.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred::store {

using Environment = std::map<std::string, std::string>;

/// Private keys, ready for use. Holds plaintext keys in Secrets; never prints them.
class KeyRing {
 public:
  /// What sops and clan use for the person at the terminal, all sources together: SOPS_AGE_KEY, SOPS_AGE_KEY_FILE,
  /// $XDG_CONFIG_HOME/sops/age/keys.txt (default ~/.config). An empty ring when there is none; a named source that
  /// cannot be read is an error.
  static Result<KeyRing> of_operator(const Environment& environment);

  /// A host's own: $CREDENTIALS_DIRECTORY/vmcred.identity, else /var/lib/vmcred/key.txt, else
  /// /var/lib/sops-nix/key.txt (below `root`, for tests). `not_found` names the three places.
  static Result<KeyRing> of_host(const Environment& environment, const std::string& root = "/");

  /// One identity file's text.
  static Result<KeyRing> from_text(const Secret& text, const std::string& source);

  KeyRing();
  KeyRing(KeyRing&&) noexcept;
  KeyRing& operator=(KeyRing&&) noexcept;
  ~KeyRing();

  [[nodiscard]] bool empty() const;
  /// The public side of each key, as it stands in key.json files; sorted.
  [[nodiscard]] const std::vector<std::string>& recipients() const;
  /// Where keys were looked for, in words: for errors.
  [[nodiscard]] const std::vector<std::string>& sources() const;

  struct Keys;  ///< the age identities; for src/store alone
  [[nodiscard]] const Keys& keys() const { return *keys_; }

 private:
  std::unique_ptr<Keys> keys_;
};

/// Where `init` and `vars keygen` put an operator's key: $XDG_CONFIG_HOME/sops/age/keys.txt.
std::string operator_key_path(const Environment& environment);

}  // namespace vmcred::store
