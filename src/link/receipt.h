// What a guest reports about its credentials, and what the host makes of it: the receipt.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/secret.h"
#include "base/sha256.h"

namespace vmcred::link {

/// Where a copy of a credential was found in the guest. `system` is what counts: /run/credentials/@system (or what the
/// agent mounted over it); the others are what the machine offered, so that a lost copy can be told from a missing one.
enum class Source : std::uint8_t { system = 0, fw_cfg = 1, smbios = 2, kernel_line = 3, credstore = 4 };

/// One copy of one credential: never the value, only its length and keyed hash.
struct Copy {
  std::string guest;
  Source source = Source::system;
  std::uint64_t size = 0;
  Digest hash = {};
};

/// A guest unit that loads a credential (`LoadCredential=id:guest`) and how the unit fares.
struct Consumer {
  std::string guest;
  std::string id;
  std::string unit;
  std::string state;  ///< ActiveState as systemd says it: "active", "failed", …; "" when not known
  bool operator==(const Consumer&) const = default;
};

/// What one unit printed, for a guest that is asked to hand it over (bounded).
struct UnitOutput {
  std::string unit;
  std::string text;
  bool operator==(const UnitOutput&) const = default;
};

/// Everything the guest says, as plain data.
struct Report {
  std::uint64_t generation = 0;
  std::string systemd_version = {};  ///< "252.39-1~deb12u2"; "" without systemd
  std::vector<Copy> copies = {};
  std::vector<Consumer> consumers = {};
  std::vector<UnitOutput> outputs = {};
  std::vector<std::string> notices = {};  ///< what was refused or skipped and why
};

// Limits of one report; a guest that sends more breaks the protocol.
inline constexpr std::size_t kMaxCopies = 2048;
inline constexpr std::size_t kMaxConsumers = 2048;
inline constexpr std::size_t kMaxNotices = 64;
inline constexpr std::size_t kMaxOutputs = 64;
inline constexpr std::size_t kMaxOutputBytes = 64 * 1024;  ///< of all units together
inline constexpr std::size_t kMaxName = 255;               ///< of a credential, a unit, an id
inline constexpr std::size_t kMaxNotice = 1024;

/// The keyed hash of one credential: HMAC-SHA-256 under the `receipt` key over the name's length, the name, the value.
Digest credential_hash(Bytes receipt_key, std::string_view guest, Bytes value);

enum class State : std::uint8_t {
  received,    ///< byte for byte
  truncated,   ///< the first `size` bytes of it, no more
  changed,     ///< another value
  missing,     ///< not there
  shadowed,    ///< it arrived, but another source's copy of the name took its place
  unexpected,  ///< there, but nobody sent it
};
std::string_view state_name(State state);

/// What the host says of one credential.
struct ReceiptEntry {
  std::string guest;
  State state = State::missing;
  std::uint64_t size = 0;           ///< bytes in the guest
  std::uint64_t expected_size = 0;  ///< bytes that were sent
  std::vector<Consumer> consumers = {};
  std::string detail = {};  ///< "4065 of 60000 bytes arrived", …; "" when received
};

struct Receipt {
  std::uint64_t generation = 0;
  std::string systemd_version = {};
  std::string boot_id = {};                ///< as /proc/sys/kernel/random/boot_id spells it
  std::vector<ReceiptEntry> entries = {};  ///< sorted by name; all expected ones, then the unexpected
  std::vector<UnitOutput> outputs = {};
  std::vector<std::string> notices = {};
  /// Every expected credential was received. Unexpected ones do not count against it.
  [[nodiscard]] bool complete() const;
};

/// Compares a report with what was sent (guest name -> value).
Receipt make_receipt(const Report& report, const std::map<std::string, Secret>& expected, Bytes receipt_key);

}  // namespace vmcred::link
