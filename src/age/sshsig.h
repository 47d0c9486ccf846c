// Signatures in OpenSSH's SSHSIG form (PROTOCOL.sshsig) with Ed25519 keys: `ssh-keygen -Y sign` and `-Y verify` agree.
#pragma once

#include <string>
#include <string_view>

#include "age/ssh_key.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::age {

/// "-----BEGIN SSH SIGNATURE-----" … over the message's SHA-512. The name space ("vmcred") keeps a signature made for
/// one purpose from being shown for another; empty is `usage`. An RSA key is `usage`.
Result<std::string> ssh_sign(const SshPrivateKey& key, std::string_view name_space, Bytes message);

/// The key that made it, once the signature was checked over exactly this name space and message. Whether to trust that
/// key is the caller's question. `invalid_data`: no such signature. `mismatch`: it is for something else.
Result<SshPublicKey> ssh_verify(std::string_view signature, std::string_view name_space, Bytes message);

}  // namespace vmcred::age
