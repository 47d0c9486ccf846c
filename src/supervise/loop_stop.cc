// What people and the clock say: signals, requests on the control socket, deadlines; and the stop that follows.
#include "supervise/loop.h"

#include <signal.h>

#include "supervise/refresh.h"

namespace vmcred::supervise {
namespace {

/// A client of the guard cannot fill the log.
constexpr unsigned kMaxGuardWarnings = 20;

}  // namespace

void Supervisor::on_signals() {
  while (const int number = signals_.next()) {
    const bool again = stop_.step() != StopStep::none;
    if (again && number == SIGINT) stop_harder(StopPlan::after(stop_.step()));  // control-c once more: hurry
    if (!again)
      begin_stop(number == SIGINT ? "interrupted" : number == SIGHUP ? "the terminal is gone" : "asked to stop");
  }
}

void Supervisor::on_control() {
  for (const ControlServer::Request& request : control_.receive()) {
    const std::string what = request.json.string_at("do");
    if (what == "status") {
      answer_status(request.client);
    } else if (what == "stop") {
      stop_clients_.push_back(request.client);
      if (stop_.step() == StopStep::none) begin_stop("'vmcred vm stop'");
    } else if (what == "refresh") {
      const auto begun = begin_refresh(request);
      if (begun) continue;  // the answer comes with the end
      // Whoever asks may want to restart a vm that nobody in the guest can refresh.
      const bool no_agent = !refreshing_ && (!link_ || !link_->session().has_agent());
      control_.answer(
          request.client,
          Json::object().set("refreshed", false).set("no_agent", no_agent).set("error", begun.error().message));
    } else if (what == "compare") {
      const auto fresh = unpack_values(mission_.vm, request.passed);
      std::vector<std::string> older;
      if (fresh) {
        older = outdated(mission_.secrets, fresh->values);
        older.insert(older.end(), fresh->undeclared.begin(), fresh->undeclared.end());
      }
      control_.answer(request.client, fresh ? Json::object().set("outdated", Json::strings(older))
                                            : Json::object().set("error", fresh.error().message));
    } else {
      control_.answer(request.client, Json::object().set("error", "unknown request"));
    }
  }
}

void Supervisor::on_guard() {
  if (guest_runs_) vmm_.guard.let_in();
  for (const std::string& refusal : vmm_.guard.turn()) {
    if (++guard_warnings_ <= kMaxGuardWarnings) warn(refusal);
    if (guard_warnings_ == kMaxGuardWarnings) warn("further refusals of the guard are kept silent");
  }
}

void Supervisor::on_deadlines() {
  if (vmm_.child.pid() <= 0) return;
  if (now() >= status_limit_) answer_status_clients();
  if (stop_.due(now())) return stop_harder(StopPlan::after(stop_.step()));
  if (now() < limit_ || stop_.step() != StopStep::none) return;
  limit_ = SteadyTime::max();
  if (settling_) {
    become_ready();
    settling_ = false;
    return;
  }
  if (!guest_runs_) {
    give_up(fmt::format("the VMM of vm '{}' did not start within {} s", mission_.vm.name,
                        std::chrono::ceil<std::chrono::seconds>(mission_.start_limit).count()),
            StopStep::quit);
  } else if (word_due_) {
    give_up(fmt::format("systemd in the guest of vm '{}' did not say within {} s that it is ready", mission_.vm.name,
                        std::chrono::ceil<std::chrono::seconds>(mission_.receipt_limit).count()),
            StopStep::power);
  } else {
    give_up(fmt::format("no receipt came from the guest of vm '{}' within {} s", mission_.vm.name,
                        std::chrono::ceil<std::chrono::seconds>(mission_.receipt_limit).count()),
            StopStep::power);
  }
}

void Supervisor::begin_stop(const std::string& reason, StopStep step) {
  if (stop_.step() != StopStep::none) return;
  outcome_.stop_asked = true;
  set_state(VmState::stopping, reason);
  notify(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", std::chrono::microseconds(mission_.stop.all()).count()));
  tell(Event::Kind::stopping, reason);
  stop_harder(step);
}

void Supervisor::stop_harder(StopStep step) {
  if (step <= StopStep::power && !guest_runs_) step = StopStep::quit;  // nobody there to ask
  stop_.enter(step, now());
  Result<> done;
  switch (stop_.step()) {
    case StopStep::none:
      return;
    case StopStep::agent:
      done = link_ ? link_->session().power_off(mission_.launch.ends_by_reboot ? link::Departure::reboot
                                                                               : link::Departure::power_off)
                   : fail(Errc::unavailable, "no agent");
      if (done) done = link_->send();
      break;
    case StopStep::power:
      done = vmm_.driver ? vmm_.driver->press_power() : fail(Errc::unavailable, "no control socket");
      break;
    case StopStep::quit:
      done = vmm_.driver ? vmm_.driver->quit() : fail(Errc::unavailable, "no control socket");
      break;
    case StopStep::terminate:
      vmm_.child.kill(SIGTERM);
      break;
    case StopStep::kill:
      vmm_.child.kill(SIGKILL);
      break;
  }
  // A way that is not there needs no waiting.
  if (!done) stop_harder(StopPlan::after(stop_.step()));
}

void Supervisor::give_up(std::string failure, StopStep step) {
  if (outcome_.failure.empty()) outcome_.failure = std::move(failure);
  begin_stop(outcome_.failure, step);
}

}  // namespace vmcred::supervise
