// The guest's half of the link as a pure state machine: bytes in, bytes out, events. `vmcred-guest` pumps it over the
// virtio-serial port or a vsock connection.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/randomness.h"
#include "base/result.h"
#include "base/secret.h"
#include "link/departure.h"
#include "link/receipt.h"
#include "link/set.h"

namespace vmcred::link {

using BootId = std::array<std::uint8_t, 16>;

/// The host proved itself and says what it wants.
struct Welcomed {
  std::string vm;
  std::uint64_t generation = 0;
  bool set_follows = false;  ///< a Received comes before a report is due
};
/// A complete set came. `first`: this boot held none before; otherwise actions are to be carried out and answered.
struct Received {
  Set set;
  bool first = false;
};
/// The host has the report; `complete` says that it found everything.
struct Confirmed {
  bool complete = false;
};
struct PowerOff {
  Departure how = Departure::power_off;  ///< reboot: this VMM ends by it
};
struct ReportWanted {};
/// The host refused us; the reason is final for this key.
struct Refused {
  std::string reason;
};
/// The next contact must use this secret (an agent keeps it at once).
struct NewSecret {
  Secret secret;
};
using GuestEvent = std::variant<Welcomed, Received, Confirmed, PowerOff, ReportWanted, Refused, NewSecret>;

struct GuestConfig {
  Secret key;  ///< the token, or the session secret of the last contact
  BootId boot_id = {};
  bool agent = false;                ///< we stay on the link
  std::uint64_t generation = 0;      ///< of the set that the agent holds already; 0: none
  Randomness* randomness = nullptr;  ///< must be given and outlive the session
};

/// One contact with the host. The hello is the first output.
class GuestSession {
 public:
  explicit GuestSession(GuestConfig config);
  GuestSession(GuestSession&&) noexcept;
  GuestSession& operator=(GuestSession&&) noexcept;
  ~GuestSession();

  /// Fails with `invalid_data` or `mismatch` when what came is not from our host; then this session is over.
  Result<> receive(Bytes bytes);
  [[nodiscard]] bool has_output() const;
  [[nodiscard]] Secret take_output();
  [[nodiscard]] std::optional<GuestEvent> take_event();

  /// The key for credential_hash() in our report. Ready from the start.
  [[nodiscard]] Bytes receipt_key() const;
  /// Sends a report; only after Welcomed. More than the limits of receipt.h is `usage`.
  Result<> report(const Report& report);
  /// Answers a refresh, after the report: done, or rolled back with the reason. `generation` is what runs now.
  Result<> refreshed(bool ok, std::uint64_t generation, const std::string& text);
  /// The guest shuts down, and we end with it.
  Result<> leaving(Departure how);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcred::link
