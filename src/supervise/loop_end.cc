// How the guest ends: what it announced, what its console says, what its VMM's end says, put together.
#include "supervise/loop.h"
#include "supervise/reason.h"

namespace vmcred::supervise {
namespace {

bool comes_back(link::Departure how) { return !link::is_final(how); }

}  // namespace

bool Supervisor::announced(bool (*how)(link::Departure)) const {
  if (leaving_) return how(*leaving_);
  for (const link::Departure known :
       {link::Departure::power_off, link::Departure::reboot, link::Departure::halt, link::Departure::kexec}) {
    if (status_.systemd.shutdown == link::departure_name(known)) return how(known);
  }
  return false;
}

void Supervisor::end_guest(GuestEnd end) {
  outcome_.end = end;
  guest_runs_ = false;
  limit_ = farewell_limit_ = SteadyTime::max();
  // A kernel may panic before it has found the device that tells.
  const bool untold = mission_.launch.panic_event.empty() || console_end_.panicked();
  const bool cause_unknown = end == GuestEnd::reset && !announced(comes_back) && untold;
  unexplained_ = cause_unknown || end == GuestEnd::panicked;
  tell(Event::Kind::guest_ended,
       cause_unknown ? "the guest was reset, cause unknown" : std::string(guest_end_text(end)));
}

void Supervisor::on_leaving(const link::Leaving& leaving) {
  leaving_ = leaving.how;
  tell(Event::Kind::leaving, std::string(link::departure_name(leaving.how)));
  // Other VMMs end by themselves, however long the guest takes to write what it has to. A stop has its own clock.
  const bool stays = mission_.launch.ends_by_reboot && link::is_final(leaving.how);
  if (stays && stop_.step() == StopStep::none) farewell_limit_ = now() + mission_.farewell_limit;
}

void Supervisor::on_farewell() {
  if (!guest_runs_ || !announced(link::is_final)) return;
  // systemd's word alone ends nothing, for any process of the guest can say it; the kernel's word on the console it
  // cannot.
  if (!console_end_.halted() && now() < farewell_limit_) return;
  end_guest(GuestEnd::powered_off);
  set_state(VmState::stopping, std::string(guest_end_text(outcome_.end)));
  outcome_.ended_by_us = true;
  stop_harder(StopStep::quit);
}

void Supervisor::conclude_from_exit() {
  if (!guest_runs_ || outcome_.end != GuestEnd::unknown) return;
  const bool gone = announced(link::is_final);
  if (stop_.step() > StopStep::power) return end_guest(gone ? GuestEnd::powered_off : GuestEnd::host_asked);
  if (!outcome_.vmm.ok() || mission_.launch.exit_tells == vmm::ExitTells::nothing) return;
  const bool asked = stop_.step() != StopStep::none || vmm_.guard.power_pressed();
  const bool off =
      gone || asked || (mission_.launch.exit_tells == vmm::ExitTells::powered_off && !announced(comes_back));
  end_guest(off ? GuestEnd::powered_off : GuestEnd::reset);
}

/// Without what the guest may have printed of its values: the story goes to the journal.
void Supervisor::tell_console_end() {
  const ShownWords shown(mission_.secrets);
  for (const std::string& line : console_end_.last_lines()) warn("the console's end: " + shown(line));
}

}  // namespace vmcred::supervise
