// Carries one launch out: start the VMM, feed it, wipe the channel, wait for the receipt, keep it, stop it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/process.h"
#include "supervise/credentials.h"
#include "supervise/driver.h"
#include "supervise/notify.h"
#include "supervise/status.h"
#include "vmm/launch.h"

namespace vmcred::supervise {

/// What happened, in the order in which it happens.
struct Event {
  enum class Kind : std::uint8_t {
    vmm_started,    ///< the process runs; `pid`
    channel_wiped,  ///< the VMM has read everything, the memory files are zero
    guest_running,  ///< `cont` was answered
    receipt,        ///< the guest proved what it got; `status.receipts`, `status.proven`
    ready,          ///< READY=1 was sent
    stopping,       ///< `detail` says who asked
    guest_ended,    ///< `detail` says how
    vmm_exited,
    warning,        ///< `detail`
  };
  Kind kind;
  std::string detail = {};
  std::chrono::milliseconds since_start = {};  ///< since supervise() was called
  const Status& status;
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

/// How long each step of a stop may take before the next, harder one.
struct StopTimes {
  std::chrono::milliseconds agent{10'000};  ///< the guest's agent was asked
  std::chrono::milliseconds power{10'000};  ///< the power key was pressed
  std::chrono::milliseconds quit{3'000};    ///< the VMM was told to end
  std::chrono::milliseconds terminate{3'000};
};

struct Mission {
  std::string vm;
  vmm::Launch launch;
  const Secrets& secrets;
  bool expect_receipt = false;
  std::chrono::milliseconds start_limit{30'000};  ///< until the VMM has read its channel
  std::chrono::milliseconds receipt_limit{90'000};
  StopTimes stop = {};
  std::string folder;  ///< the runtime folder: control socket and console log
  std::string accel = {};
  Notifier notifier{};
  Observer* observer = nullptr;
  const Clock* clock = &real_clock();
};

/// How it ended.
struct Outcome {
  bool ready = false;        ///< READY was reached
  GuestEnd end = GuestEnd::unknown;
  bool stop_asked = false;
  Status status = {};
  ExitStatus vmm = {};
  /// The guest powered off after READY.
  [[nodiscard]] bool good() const { return ready && end == GuestEnd::powered_off; }
};

/// Runs until the VMM's process is gone. Errors are those of the start; what happens later is in the outcome.
Result<Outcome> supervise(const Mission& mission);

}  // namespace vmcred::supervise
