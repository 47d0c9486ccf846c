// The private keys that this process may use, and where they were found.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"

namespace vmcred::age {
class PluginPrompts;
struct Plugins;
}  // namespace vmcred::age

namespace vmcred::store {

using Environment = std::map<std::string, std::string>;

/// Private keys, ready for use. Holds plaintext keys in Secrets; never prints them.
class KeyRing {
 public:
  /// What sops and clan use for the person at the terminal, all sources together (sops/lookup.h): the SOPS_AGE_*
  /// variables, keys.txt, SSH keys. An empty ring when there is none; a source that a variable names and that gives no
  /// key is an error. Plugins are found on PATH, and `prompts` (may be null) answers what they ask.
  static Result<KeyRing> of_operator(const Environment& environment, age::PluginPrompts* prompts = nullptr);

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
  /// Those of age keys alone: what a person is known by when he joins a project.
  [[nodiscard]] const std::vector<std::string>& age_recipients() const;
  /// Where keys were looked for, in words: for errors.
  [[nodiscard]] const std::vector<std::string>& sources() const;

  struct Keys;  ///< the age identities; for src/store alone
  [[nodiscard]] const Keys& keys() const { return *keys_; }

 private:
  std::unique_ptr<Keys> keys_;
};

/// How plugins are found and run for this person: on his PATH, with his environment.
age::Plugins plugins_of(const Environment& environment, age::PluginPrompts* prompts = nullptr);

/// Where `init` and `vars keygen` put an operator's key: $XDG_CONFIG_HOME/sops/age/keys.txt.
std::string operator_key_path(const Environment& environment);

}  // namespace vmcred::store
