// SSH keys as age recipients and identities ("ssh-ed25519" and "ssh-rsa" stanzas of age's agessh).
#pragma once

#include "age/keys.h"
#include "age/ssh_key.h"

namespace vmcred::age {

/// "ssh-ed25519 AAAA… comment" or "ssh-rsa …" of at least 2048 bits.
Result<RecipientPtr> parse_ssh_recipient(std::string_view text);

/// What one private key can read: files for the SSH key itself and, for Ed25519, files for the "age1…" recipient that
/// `ssh-to-age` makes of it.
Result<Identities> ssh_identities(SshPrivateKey key);

}  // namespace vmcred::age
