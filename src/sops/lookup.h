// Where sops finds private keys: the environment, key files, key commands and SSH keys, all merged (sops since 3.11).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "age/keys.h"
#include "base/result.h"

namespace vmcred::sops {

/// The caller's environment; this room reads no other.
using Environment = std::map<std::string, std::string>;

/// The keys of one place.
struct Source {
  std::string name;  ///< "SOPS_AGE_KEY", "'/home/me/.config/sops/age/keys.txt'": for messages
  age::Identities identities;
  bool ssh = false;                     ///< an SSH key
  std::vector<std::string> noted = {};  ///< recipients in its comments, as age-keygen and plugins write them
};

struct Lookup {
  std::vector<Source> sources;    ///< in sops' order
  std::vector<Error> problems;    ///< places that were there and gave no key: worth telling only when nothing decrypts
  std::vector<Error> wrong = {};  ///< places that a variable names, which could not be read
  [[nodiscard]] age::Identities identities() const;  ///< all of them
};

/// Looks in SOPS_AGE_SSH_PRIVATE_KEY_FILE, SOPS_AGE_SSH_PRIVATE_KEY_CMD, ~/.ssh/id_ed25519, ~/.ssh/id_rsa,
/// SOPS_AGE_KEY, SOPS_AGE_KEY_FILE, SOPS_AGE_KEY_CMD and $XDG_CONFIG_HOME/sops/age/keys.txt (default ~/.config). A
/// command runs once, without a shell, however many secrets follow.
Lookup find_identities(const Environment& environment);
Lookup find_identities(const Environment& environment, const age::Plugins& plugins);

/// The recipients that comments of a key file name ("# public key: age1…").
std::vector<std::string> recipients_in_comments(std::string_view text);

/// Splits a command line into words as a POSIX shell would, without expanding anything.
Result<std::vector<std::string>> split_command(std::string_view text);

}  // namespace vmcred::sops
