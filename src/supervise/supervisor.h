// Carries one launch out: start the VMM, feed it, wipe the channel, wait for the receipt, keep it, stop it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/process.h"
#include "base/randomness.h"
#include "link/host.h"
#include "supervise/credentials.h"
#include "supervise/driver.h"
#include "supervise/notify.h"
#include "supervise/status.h"
#include "supervise/stop_plan.h"
#include "vmm/launch.h"

namespace vmcred::supervise {

/// What happened, in the order in which it happens.
struct Event {
  enum class Kind : std::uint8_t {
    vmm_started,    ///< the process runs; `pid`
    channel_wiped,  ///< the VMM has read everything, the memory files are zero
    guest_running,  ///< `cont` was answered
    receipt,        ///< the guest proved what it got; `status.receipts`, `status.proven`
    systemd,        ///< systemd in the guest said something; `detail`, `status.systemd`
    ready,          ///< READY=1 was sent
    stopping,       ///< `detail` says who asked
    leaving,        ///< the guest's agent says that it shuts down; `detail` says how
    guest_ended,    ///< `detail` says how
    vmm_exited,
    vmm_said,  ///< `detail` is a line of its standard error, as it came
    warning,   ///< `detail`
  };
  Kind kind;
  std::string detail = {};
  std::chrono::milliseconds since_start = {};  ///< since supervise() was called
  const Status& status;
  const link::Receipt* receipt = nullptr;  ///< Kind::receipt: all of it
};

enum class Wish : std::uint8_t { go_on, stop };

/// Sees everything while the vm runs; the loop waits for it, so that it can measure the living vm.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual Wish on_event(const Event& event) = 0;
  /// Raw bytes of the guest's serial console.
  virtual Wish on_console(std::string_view bytes) { return (void)bytes, Wish::go_on; }
};

/// A launch in which every value has a channel.
struct PlannedLaunch {
  vmm::Launch launch;
  bool by_reference = false;
};

/// How long a VMM may take to read what it is given, where nobody says another.
inline constexpr std::chrono::seconds kStartLimit{30};

struct Mission {
  const declare::Vm& vm;
  vmm::Launch launch;
  Secrets secrets;  ///< by host name; each start of the VMM adds a fresh token for the link
  bool by_reference = false;
  /// The launch for other values, for a start after a refresh; its error says why they cannot be delivered. None:
  /// `launch`.
  std::function<Result<PlannedLaunch>(const Secrets&)> plan_again = {};
  VersionCheck check_version = {};                      ///< of the VMM, before it gets what it can still be refused
  bool expect_receipt = false;                          ///< READY waits for a complete receipt
  std::chrono::milliseconds start_limit = kStartLimit;  ///< until the VMM has read its channel
  std::chrono::milliseconds receipt_limit{90'000};
  /// A VMM that tells nothing, and whose guest sends no receipt, counts as started when it has lived for so long.
  std::chrono::milliseconds settle_time{2'000};
  /// A guest that announced its power-off has it to be done; then a VMM that does not end with it is ended.
  std::chrono::milliseconds farewell_limit{90'000};
  std::chrono::milliseconds fresh_report_limit{2'000};  ///< until who asks for the status must do with the last receipt
  StopTimes stop = {};
  std::string folder;  ///< the runtime folder: control socket and console log
  std::string accel = {};
  std::vector<std::string> vmm_environment = {"PATH=" + std::string(kSystemPath)};
  Notifier notifier{};
  Observer* observer = nullptr;
  Randomness* randomness = &kernel_randomness();
};

/// How it ended.
struct Outcome {
  bool fed = false;    ///< a VMM took what it was given
  bool ready = false;  ///< READY was reached
  GuestEnd end = GuestEnd::unknown;
  bool stop_asked = false;
  bool ended_by_us = false;  ///< the VMM, after its guest had powered off
  std::string failure = {};  ///< why we ended it ourselves: no receipt in time, credentials that did not arrive, …
  Status status = {};
  ExitStatus vmm = {};
  /// The guest powered off after READY.
  [[nodiscard]] bool good() const { return ready && end == GuestEnd::powered_off && failure.empty(); }
};

/// Runs until the VMM's process is gone; a guest that reboots gets a new VMM with a new token. SIGTERM, SIGINT and
/// SIGHUP stop the guest (they must be the business of nobody else in this process). An error means that the vm never
/// ran or that its VMM could not be followed any more, which is then gone too.
Result<Outcome> supervise(Mission mission);

}  // namespace vmcred::supervise
