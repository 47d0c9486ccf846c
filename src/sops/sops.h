// sops files of the binary shape with age recipients: {"data": ENC, "sops": {…}} as JSON. Read strictly, written as
// sops and clan write them.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "age/keys.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/randomness.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::sops {

inline constexpr std::size_t kMaxFile = 24UL * 1024 * 1024;
inline constexpr std::size_t kMaxRecipients = 4096;
inline constexpr std::string_view kVersion = "3.11.0";  ///< the sops version whose shape we write

/// The data key for one recipient: an armored age file.
struct AgeEntry {
  std::string recipient;
  std::string enc;
  bool operator==(const AgeEntry&) const = default;
};

/// A file as it stands, nothing decrypted yet.
struct File {
  std::string data;           ///< the ENC text; "" for an empty value
  std::vector<AgeEntry> age;  ///< in file order
  std::string lastmodified;   ///< RFC 3339, verbatim: the MAC covers it
  std::string mac;            ///< the ENC text
  Json::Object other = {};  ///< the other members of "sops" (pgp, version, empty lists of old versions), kept verbatim
  bool operator==(const File&) const = default;
};

/// Refuses with `invalid_data`, as sops does: duplicate or further top-level keys, a byte order mark, a missing or
/// malformed `version`, a rule by which 'data' is not encrypted; and key groups (Shamir).
Result<File> parse(std::string_view text);
/// Tab-indented, keys sorted, with a final newline.
std::string print(const File& file);

/// What can be told without any key.
[[nodiscard]] std::vector<std::string> recipients(const File& file);        ///< age recipients, in file order
[[nodiscard]] std::vector<std::string> pgp_fingerprints(const File& file);  ///< PGP entries: kept, never used

/// Where time and randomness come from.
struct Doors {
  Randomness& randomness = kernel_randomness();
  const Clock& clock = real_clock();
};

/// Encrypts under a new data key. Entries are sorted by recipient; a recipient given twice counts once.
Result<File> encrypt(Bytes value, std::span<const age::RecipientPtr> recipients, const Doors& doors = {});

/// The value, once the MAC was checked. The entry that belongs to one of the identities is taken at once.
///
/// `denied`: no identity is among the recipients. `mismatch`: changed since it was written.
Result<Secret> decrypt(const File& file, std::span<const age::IdentityPtr> identities);

/// The same for many files, one result each. Prefer it where plugins may be among the identities: each is started once
/// for all files, so a person types one PIN.
std::vector<Result<Secret>> decrypt_all(std::span<const File* const> files,
                                        std::span<const age::IdentityPtr> identities);

/// The same value for other recipients.
///
/// Where nobody is removed, the data key, the value, the MAC and the entries of those who stay are kept byte for byte.
/// Where somebody is, everything is encrypted anew under a new data key. (He could still have read the old value:
/// it is due for rotation.) With PGP entries a removal is `usage`: only sops itself can re-wrap those.
Result<File> rewrap(const File& file, std::span<const age::RecipientPtr> wanted,
                    std::span<const age::IdentityPtr> identities, const Doors& doors = {});

}  // namespace vmcred::sops
