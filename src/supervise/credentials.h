// The credentials of a vm as plaintext in this process: read once, all or nothing.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "credential/encode.h"
#include "declare/model.h"

namespace vmcred::supervise {

/// Values by host name (`host-api-key`).
using Secrets = credential::Values;

/// What systemd and the guest take for one credential.
inline constexpr std::size_t kMaxCredential = 1024 * 1024;

/// Reads every secret credential that `vm` declares from the folder that systemd made ($CREDENTIALS_DIRECTORY). Missing
/// ones and empty ones (unless allowed) are errors that name all of them, so that nothing starts without its secrets.
Result<Secrets> read_credentials(const declare::Vm& vm, const std::string& folder);

/// Gives the plaintext of one credential from somewhere else: the encrypted store.
using Decrypt = std::function<Result<Secret>(const declare::Credential& credential)>;
/// The same promise, outside systemd: decrypted into our own memory, nothing is written.
Result<Secrets> decrypt_credentials(const declare::Vm& vm, const Decrypt& decrypt);

/// What can be had of a vm's secrets, for a guest that runs: one that cannot be had holds up no other.
struct Available {
  Secrets values = {};
  std::vector<std::pair<std::string, Error>> unreadable = {};  ///< by host name, in the order of the declaration
};
Available available_credentials(const declare::Vm& vm, const Decrypt& decrypt);

}  // namespace vmcred::supervise
