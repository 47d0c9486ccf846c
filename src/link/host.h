// The host's half of the link as a pure state machine: bytes in, bytes out, events. It opens nothing and never blocks,
// so the supervisor pumps it over whatever descriptor the VMM gives (docs/protocol.md has the bytes).
#pragma once

#include <cstdint>
#include <map>
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

/// A guest with the token (or a session secret) is on the stream.
struct Opened {
  int version = 1;
  bool agent = false;  ///< it stays: refresh and power_off work
};
/// A complete report came. Whether it is good: Receipt::complete().
struct ReceiptArrived {
  Receipt receipt;
};
/// Somebody spoke on the link and was turned away: a spent or unknown token, another boot, no common version.
struct TurnedAway {
  std::string reason;
};
/// The guest broke the protocol; its stream counts as closed until it says hello again.
struct Violation {
  std::string reason;
};
/// The end of a refresh: the guest now runs `generation` (the new one, or after a rollback the old one).
struct Refreshed {
  bool ok = false;
  std::uint64_t generation = 0;
  std::string text;  ///< what went wrong, "" when ok
};
/// The agent says that the guest shuts down, as far as it is done with everything else.
struct Leaving {
  Departure how = Departure::power_off;
};
using HostEvent = std::variant<Opened, ReceiptArrived, TurnedAway, Violation, Refreshed, Leaving>;

struct HostConfig {
  std::string vm;
  Secret token;  ///< 32 bytes, the same as in `vmcred.link`
  /// What the guest should hold, static values included, `vmcred.link` itself not.
  Set expected = {};
  /// The guest fetches the values over the link; otherwise they went by SMBIOS, fw_cfg or the VMM's API.
  bool by_reference = false;
  Randomness* randomness = nullptr;  ///< must be given and outlive the session
};

/// One VM, from the start of its VMM to the end. Holds the values for as long as it lives.
///
///     HostSession session({.vm = "test-vm", .token = …, .expected = …, .randomness = &kernel_randomness()});
///     on bytes:  session.receive(bytes); while (auto event = session.take_event()) …
///     to write:  while (session.has_output()) write(fd, session.take_output());
class HostSession {
 public:
  explicit HostSession(HostConfig config);
  HostSession(HostSession&&) noexcept;
  HostSession& operator=(HostSession&&) noexcept;
  ~HostSession();

  /// Judges the hello of one more connection (Hello::kSize bytes) without touching the stream at hand: nothing when its
  /// key is valid now, else the reply that turns it away (and a TurnedAway event). Only who holds a key can name it, so
  /// a connection that passes may take the stream's place: begin_stream(), then receive() its hello.
  [[nodiscard]] std::optional<std::string> screen(Bytes hello);
  /// A new connection begins, or the old one ended (EOF; QMP's VSERPORT_CHANGE): half frames are forgotten, output is
  /// dropped.
  void begin_stream();
  /// Takes any bytes. What is wrong with them becomes an event, never an error: a hostile guest ends only its own
  /// stream.
  void receive(Bytes bytes);
  [[nodiscard]] bool has_output() const;
  /// The next bytes to write, at most 32 KiB (values may be among them, so it is a Secret); empty when there are none.
  [[nodiscard]] Secret take_output();
  [[nodiscard]] std::optional<HostEvent> take_event();

  /// A proven guest is on the stream now.
  [[nodiscard]] bool open() const;
  /// … and it stays: refresh() and the like reach somebody.
  [[nodiscard]] bool has_agent() const;
  /// The last receipt of this boot.
  [[nodiscard]] const std::optional<Receipt>& receipt() const;
  /// The token can no longer be used.
  [[nodiscard]] bool spent() const;

  /// Sends a new set to the agent; ends in a Refreshed event (and a ReceiptArrived before it). `unavailable` without an
  /// open agent or while another refresh runs; the set is kept as expected only when the guest took it.
  Result<> refresh(Set set);
  /// Asks the agent to shut the guest down cleanly: to power it off, or to reboot it where that is what ends its VMM.
  /// `unavailable` without an open agent.
  Result<> power_off(Departure how = Departure::power_off);
  /// Asks the agent for a new report. `unavailable` without an open agent.
  Result<> ask_report();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vmcred::link
