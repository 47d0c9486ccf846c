// The steps of a stop, each with its time: asked kindly first, killed last. Pure: it is told the time.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace vmcred::supervise {

/// How long each step of a stop may take before the next, harder one.
struct StopTimes {
  std::chrono::milliseconds agent{10'000};     ///< the guest's agent was asked
  std::chrono::milliseconds power{10'000};     ///< the power key was pressed
  std::chrono::milliseconds quit{3'000};       ///< the VMM was told to end, by its control socket
  std::chrono::milliseconds terminate{3'000};  ///< … and by SIGTERM
  [[nodiscard]] std::chrono::milliseconds all() const { return agent + power + quit + terminate; }
};

enum class StopStep : std::uint8_t { none, agent, power, quit, terminate, kill };

class StopPlan {
 public:
  explicit StopPlan(const StopTimes& times) : times_(times) {}
  [[nodiscard]] StopStep step() const { return step_; }
  /// When the present step has had its time; no time without a step.
  [[nodiscard]] SteadyTime deadline() const { return deadline_; }
  [[nodiscard]] bool due(SteadyTime now) const { return step_ != StopStep::none && now >= deadline_; }
  /// Goes to `step`, or to the one after the present if that is harder.
  void enter(StopStep step, SteadyTime now);
  [[nodiscard]] static StopStep after(StopStep step);

 private:
  StopTimes times_;
  StopStep step_ = StopStep::none;
  SteadyTime deadline_ = SteadyTime::max();
};

}  // namespace vmcred::supervise
