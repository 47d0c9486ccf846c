// Which store is believed: a project's, with its signatures where these are demanded; a host's, with its manifest.
#pragma once

#include <optional>
#include <string>

#include "command.h"
#include "declare/model.h"
#include "store/manifest.h"
#include "store/repository.h"
#include "store/signatures.h"

namespace vmcred::app {

/// Whether signatures are demanded in a project: where there is a trusted-signers file of one's own, in every one that
/// does not stand in one's unsigned-projects. Nothing in the project itself has a say.
Result<bool> signatures_demanded(const std::string& folder, const World& world);

/// The signatures that this person demands and makes, in whatever project. `not_found` without a trusted-signers file.
Result<std::shared_ptr<const store::Signatures>> own_signatures(const std::string& folder, const World& world);

/// Takes the project off one's unsigned-projects, and says so.
Result<> end_exemption(const std::string& folder, const World& world);

/// Opens a project's store, with signatures where these are demanded.
Result<store::Repository> open_store(const std::string& folder, const World& world);

/// Where a host keeps whom it trusts, and what it took last (below `prefix`, for tests).
struct HostTrust {
  std::string signers;  ///< /etc/vmcred/trusted-signers
  std::string last;     ///< /var/lib/vmcred/last-manifest
};
HostTrust host_trust(const std::string& prefix);

/// What vouches for the deployed project in `folder` on this host. Empty where the host has no trusted-signers file:
/// then it takes what it gets.
Result<std::optional<store::Proven>> prove_on_host(const std::string& folder, const HostTrust& trust,
                                                   const World& world);

/// That `declaration`, which was read before the manifest was, is the one that it names.
Result<> check_declaration(const declare::Declaration& declaration, const store::Proven& proven);

/// The declaration that the manifest names, from the very bytes that it names: what stands there now may be another
/// one.
Result<declare::Declaration> proven_declaration(const std::string& folder, const store::Proven& proven);

}  // namespace vmcred::app
