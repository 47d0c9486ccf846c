#include "actions.h"

#include <csignal>
#include <cstring>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/file.h"
#include "base/process.h"
#include "base/systemd_bus.h"
#include "consumers.h"
#include "credentials.h"
#include "service_folder.h"

namespace vmcred::guest {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPause{10};
constexpr milliseconds kBetweenLooks{100};
constexpr milliseconds kCommandLimit{30'000};
constexpr std::chrono::seconds kJobLimit{120};

Result<int> signal_number(const std::string& name) {
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* const known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return fail(Errc::usage, "there is no signal '{}'", name);
}

using Ended = std::function<bool()>;

/// A pause, unless we are to end.
Result<> pause(milliseconds time, const Ended& ended) {
  if (ended()) return fail(Errc::unavailable, "the agent is told to end");
  std::this_thread::sleep_for(time);
  return {};
}

Result<> wait_for_job(SystemdBus& bus, const std::string& job, const std::string& unit, const Ended& ended) {
  const auto end = steady_clock::now() + kJobLimit;
  for (;;) {
    TRY_LET(const bool exists, bus.job_exists(job));
    if (!exists) return {};
    if (steady_clock::now() >= end)
      return fail(Errc::unavailable, "'{}' took longer than {} s", unit, kJobLimit.count());
    TRY(pause(kPause, ended));
  }
}

/// Which unit loads which credential of those in place.
Result<std::vector<link::Consumer>> present_consumers() {
  TRY_LET(const auto names, list_folder(present_folder()));
  return find_consumers(unit_folders(), names);
}

Result<> act(SystemdBus& bus, const link::UnitAction& action, const std::vector<link::Consumer>& consumers,
             const Ended& ended) {
  switch (action.action) {
    case link::Action::none:
      return {};
    case link::Action::signal: {
      TRY_LET(const int number, signal_number(action.signal));
      TRY(renew_service_folder(action.unit, consumers));
      return bus.kill_unit(action.unit, number);
    }
    case link::Action::restart:
    case link::Action::reload: {
      const bool restart = action.action == link::Action::restart;
      if (!restart) TRY(renew_service_folder(action.unit, consumers));
      bus.forget_starts(action.unit);
      TRY_LET(const std::string job, bus.queue_job(restart ? "RestartUnit" : "ReloadOrRestartUnit", action.unit));
      return wait_for_job(bus, job, action.unit, ended);
    }
  }
  return {};
}

/// "inactive" is what a oneshot service is after it did its work.
bool is_healthy(const std::string& state) { return state == "active" || state == "inactive" || state == "reloading"; }

/// One unit under watch after its action.
struct Patient {
  const link::UnitAction* action;
  bool well = false;  ///< nothing more to wait for
};

/// The command says that the unit is well, or the time is over in which it had to.
Result<> ask_command(Patient& patient, bool last) {
  const auto output = run({.argv = patient.action->health_command,
                           .environment = std::vector<std::string>{"PATH=" + std::string(kSystemPath)}},
                          {.limit = kCommandLimit});
  patient.well = output && output->status.ok();
  if (patient.well || !last) return {};
  return fail(Errc::mismatch, "the health command of '{}' fails with the new credentials: {}", patient.action->unit,
              output ? output->status.text() : output.error().message);
}

Result<> check_health(SystemdBus& bus, const std::vector<link::UnitAction>& actions, const Ended& ended) {
  std::vector<std::string> units;
  std::vector<Patient> patients;
  for (const auto& action : actions) {
    if (action.action == link::Action::none) continue;
    units.push_back(action.unit);
    patients.push_back({.action = &action});
  }
  const auto begin = steady_clock::now();
  while (!std::ranges::all_of(patients, &Patient::well)) {
    const auto passed = steady_clock::now() - begin;
    TRY_LET(const auto states, bus.active_states(units));
    for (Patient& patient : patients) {
      const auto state = states.find(patient.action->unit);
      if (patient.well) continue;
      if (state != states.end() && !is_healthy(state->second)) {
        return fail(Errc::mismatch, "'{}' is {} with the new credentials", patient.action->unit, state->second);
      }
      const bool last = passed >= std::chrono::seconds(patient.action->health_seconds);
      if (patient.action->health_command.empty()) {
        patient.well = last;
      } else {
        TRY(ask_command(patient, last));
      }
    }
    if (!std::ranges::all_of(patients, &Patient::well)) TRY(pause(kBetweenLooks, ended));
  }
  return {};
}

}  // namespace

Result<> carry_out(const std::vector<link::UnitAction>& actions, const Ended& ended) {
  if (actions.empty()) return {};
  TRY_LET(SystemdBus bus, SystemdBus::connect());
  TRY_LET(const auto consumers, present_consumers());
  std::string wrong;
  for (const auto& action : actions) {
    const auto done = act(bus, action, consumers, ended);
    if (!done) wrong += fmt::format("{}'{}': {}", wrong.empty() ? "" : "; ", action.unit, done.error().message);
  }
  if (!wrong.empty()) return fail(Errc::mismatch, "{}", wrong);
  return check_health(bus, actions, ended);
}

}  // namespace vmcred::guest
