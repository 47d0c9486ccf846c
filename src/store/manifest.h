// What a machine was sent, as one signed list: nothing can be swapped, added or taken on the way, nor an older one be
// shown again.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "age/trusted_signers.h"
#include "base/result.h"
#include "store/key_ring.h"
#include "store/proof.h"

namespace vmcred::store {

inline constexpr std::string_view kManifestName = "vmcred.manifest";
inline constexpr std::string_view kManifestSignatureName = "vmcred.manifest.sig";
/// The SSHSIG name space of a manifest's signature.
inline constexpr std::string_view kManifestNameSpace = "vmcred-manifest";

/// The list. As text, each line one thing:
///
///     vmcred manifest 1
///     machine web
///     counter 1764183264123
///     key age1…
///     file vars/per-machine/web/token/key/secret 7d865e95…
///     file vmcred.json 5891b5b5…
struct Manifest {
  std::string machine;
  std::uint64_t counter = 0;  ///< greater than that of every earlier manifest of this machine
  std::string key = {};       ///< the public half of the machine's key; "" when nothing sent needs it
  std::map<std::string, std::string> files = {};  ///< path: SHA-256 in hex
  bool operator==(const Manifest&) const = default;
};

/// Files by path and content.
void add_file(Manifest& manifest, const std::string& path, std::string_view text);
std::string print_manifest(const Manifest& manifest);
/// Exactly what print_manifest writes; anything else is `invalid_data`.
Result<Manifest> parse_manifest(std::string_view text);

/// The last manifest that a host took: kept in /var/lib/vmcred/last-manifest.
struct LastManifest {
  std::uint64_t counter = 0;
  std::string digest = {};  ///< SHA-256 in hex of its text
};
Result<LastManifest> read_last_manifest(const std::string& path);
Result<> write_last_manifest(const std::string& path, const LastManifest& last);

/// A manifest whose signature was checked.
struct Proven {
  Manifest manifest;
  std::string signer;
  LastManifest as_last;  ///< what to remember once it is taken
};

/// The manifest of the deployed project in `folder`, when somebody in `trusted` signed it, it is for `machine` (empty:
/// the caller looks at that), it is not older than `last`, and the folder holds exactly the files that it names, byte
/// for byte. `mismatch` or `denied` otherwise.
Result<Proven> prove_project(const std::string& folder, const std::string& machine, const age::TrustedSigners& trusted,
                             const LastManifest& last, SystemTime now);
/// That `keys` is the machine's key that the manifest speaks of.
Result<> check_key(const Manifest& manifest, const KeyRing& keys);

/// A Proof by a manifest: what is read must be what it names. Nothing may be changed.
std::shared_ptr<const Proof> proof_by(Manifest manifest);

}  // namespace vmcred::store
