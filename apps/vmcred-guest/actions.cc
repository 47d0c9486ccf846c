#include "actions.h"

#include <csignal>
#include <cstring>

#include <algorithm>
#include <chrono>
#include <map>
#include <thread>

#include "systemd_bus.h"

namespace vmcred::guest {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kPause{10};
constexpr std::chrono::seconds kJobLimit{120};

Result<int> signal_number(const std::string& name) {
  for (int number = 1; number < SIGRTMIN; ++number) {
    const char* const known = ::sigabbrev_np(number);
    if (known != nullptr && name == known) return number;
  }
  return fail(Errc::usage, "there is no signal '{}'", name);
}

Result<> wait_for_job(SystemdBus& bus, const std::string& job, const std::string& unit) {
  const auto end = steady_clock::now() + kJobLimit;
  for (;;) {
    TRY_LET(const bool exists, bus.job_exists(job));
    if (!exists) return {};
    if (steady_clock::now() >= end) return fail(Errc::unavailable, "'{}' took longer than {} s", unit, kJobLimit.count());
    std::this_thread::sleep_for(kPause);
  }
}

Result<> act(SystemdBus& bus, const link::UnitAction& action) {
  switch (action.action) {
    case link::Action::none: return {};
    case link::Action::signal: {
      TRY_LET(const int number, signal_number(action.signal));
      return bus.kill_unit(action.unit, number);
    }
    case link::Action::restart:
    case link::Action::reload: {
      const bool restart = action.action == link::Action::restart;
      TRY_LET(const std::string job, bus.queue_job(restart ? "RestartUnit" : "ReloadOrRestartUnit", action.unit));
      return wait_for_job(bus, job, action.unit);
    }
  }
  return {};
}

/// "inactive" is what a oneshot service is after it did its work.
bool is_healthy(const std::string& state) { return state == "active" || state == "inactive" || state == "reloading"; }

Result<> check_health(SystemdBus& bus, const std::vector<link::UnitAction>& actions) {
  std::vector<std::string> units;
  std::chrono::seconds longest{0};
  for (const auto& action : actions) {
    if (action.action == link::Action::none) continue;
    units.push_back(action.unit);
    longest = std::max(longest, std::chrono::seconds(action.health_seconds));
  }
  if (units.empty()) return {};
  const auto begin = steady_clock::now();
  for (;;) {
    TRY_LET(const auto states, bus.active_states(units));
    const auto passed = steady_clock::now() - begin;
    for (const auto& action : actions) {
      const auto state = states.find(action.unit);
      const bool watched = passed <= std::chrono::seconds(action.health_seconds) + kPause;
      if (action.action == link::Action::none || state == states.end() || !watched || is_healthy(state->second)) continue;
      return fail(Errc::mismatch, "'{}' is {} with the new credentials", action.unit, state->second);
    }
    if (passed >= longest) return {};
    std::this_thread::sleep_for(std::min<steady_clock::duration>(milliseconds(100), longest - passed));
  }
}

}  // namespace

Result<> carry_out(const std::vector<link::UnitAction>& actions) {
  if (actions.empty()) return {};
  TRY_LET(SystemdBus bus, SystemdBus::connect());
  for (const auto& action : actions) TRY(in(fmt::format("refresh '{}'", action.unit), act(bus, action)));
  return check_health(bus, actions);
}

}  // namespace vmcred::guest
