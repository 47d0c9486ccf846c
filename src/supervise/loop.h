// The supervisor's loop as a class: one vm from its first start to its end. Its methods stand in five files, by who
// speaks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "supervise/console.h"
#include "supervise/console_tail.h"
#include "supervise/control.h"
#include "supervise/link_pump.h"
#include "supervise/notices.h"
#include "supervise/stop_signals.h"
#include "supervise/supervisor.h"
#include "supervise/vmm_process.h"
#include "supervise/vsock_sockets.h"

namespace vmcred::supervise {

inline std::int64_t unix_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(real_clock().now().time_since_epoch()).count();
}

class Supervisor {
 public:
  Supervisor(Mission& mission, StopSignals signals, ControlServer control, ConsoleLog console);
  Result<Outcome> run();

 private:
  // One life of the VMM.
  Result<> begin_life();
  Result<> turn();
  bool wants_another_life();
  Outcome finish();

  // What the VMM says (loop_vmm.cc).
  Result<> on_driver();
  Result<> on_driver_event(const DriverEvent& event);
  Result<> on_console();
  void on_words();
  void on_events();
  Result<> on_vmm_exit();
  Result<> on_helpers();

  // How the guest ends, by all of them together (loop_end.cc).
  void end_guest(GuestEnd end);
  void on_leaving(const link::Leaving& leaving);
  /// A guest that said that it will not come back is gone; its VMM may not know.
  void on_farewell();
  void conclude_from_exit();
  /// systemd in the guest, or its agent, said that it will shut down like that.
  [[nodiscard]] bool announced(bool (*how)(link::Departure)) const;
  void tell_console_end();

  // What the guest says over its link (loop_link.cc).
  Result<> on_link();
  void complain_of_link(const std::string& text);
  void on_link_event(const link::HostEvent& event);
  void on_receipt(const link::Receipt& receipt);
  void on_notices();
  void on_notice(const Notice& notice);
  /// What the guest should hold.
  [[nodiscard]] Result<link::Set> whole_set(Result<link::Set> declared) const;
  /// Asks the agent first where there is one: services come and go after the receipt of the start.
  void answer_status(std::uint64_t client);
  void answer_status_clients();
  /// A refresh that runs in the guest, and who waits for its end.
  struct Refreshing {
    std::uint64_t client;
    Secrets values;
    std::uint64_t generation;
    std::int64_t taken_unix_ms;
    Json answer;  ///< but for how it ends
  };
  Result<> begin_refresh(const ControlServer::Request& request);
  void end_refresh(const link::Refreshed& end);

  // What people and the clock say: signals, control socket, guard, deadlines, and the stop that follows (loop_stop.cc).
  void on_signals();
  void on_control();
  void on_guard();
  void on_deadlines();
  void begin_stop(const std::string& reason, StopStep step = StopStep::agent);
  void stop_harder(StopStep step);
  void give_up(std::string failure, StopStep step);

  // What we tell (loop.cc).
  void become_ready();
  void tell(Event::Kind kind, std::string detail = {}, const link::Receipt* receipt = nullptr);
  void warn(std::string text) { tell(Event::Kind::warning, std::move(text)); }
  void notify(const std::string& state);
  void set_state(VmState state, std::string detail);
  [[nodiscard]] SteadyTime now() const { return real_clock().steady(); }

  Mission& mission_;
  StopSignals signals_;
  ControlServer control_;
  ConsoleLog console_;
  StopPlan stop_;
  Status status_;
  Outcome outcome_;
  const SteadyTime start_ = real_clock().steady();

  VsockSockets sockets_;  ///< before the VMM, so that they go after it
  VmmProcess vmm_;
  std::optional<LinkPump> link_;
  bool guest_runs_ = false;
  bool receipt_due_ = false;
  bool word_due_ = false;  ///< READY waits for that of systemd in the guest
  bool settling_ = false;  ///< … or for the VMM to have lived for a time: it tells nothing
  ConsoleTail console_end_;
  std::optional<link::Departure> leaving_;  ///< as the proven agent said
  SteadyTime farewell_limit_ = SteadyTime::max();
  bool unexplained_ = false;  ///< the guest's end: the console may say more
  NoticeListener notices_;
  unsigned told_notices_ = 0;
  bool failed_to_notify_ = false;
  unsigned link_warnings_ = 0;
  unsigned guard_warnings_ = 0;
  std::string events_;                    ///< read, and not yet a whole object
  std::string words_;                     ///< of the VMM's standard error, and not yet a whole line
  SteadyTime limit_ = SteadyTime::max();  ///< of what we wait for now: the channel, then the receipt
  std::vector<SteadyTime> reboots_;
  std::vector<std::uint64_t> status_clients_;  ///< they wait for the guest's present state
  SteadyTime status_limit_ = SteadyTime::max();
  std::vector<std::uint64_t> stop_clients_;  ///< they hear how it ended
  std::uint64_t generation_ = 1;             ///< of the set that the guest should hold
  std::optional<Refreshing> refreshing_;
};

}  // namespace vmcred::supervise
