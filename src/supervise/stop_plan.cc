#include "supervise/stop_plan.h"

namespace vmcred::supervise {

StopStep StopPlan::after(StopStep step) {
  switch (step) {
    case StopStep::none:
      return StopStep::agent;
    case StopStep::agent:
      return StopStep::power;
    case StopStep::power:
      return StopStep::quit;
    case StopStep::quit:
      return StopStep::terminate;
    case StopStep::terminate:
    case StopStep::kill:
      break;
  }
  return StopStep::kill;
}

void StopPlan::enter(StopStep step, SteadyTime now) {
  step_ = step > step_ ? step : after(step_);
  switch (step_) {
    case StopStep::none:
      deadline_ = SteadyTime::max();
      break;
    case StopStep::agent:
      deadline_ = now + times_.agent;
      break;
    case StopStep::power:
      deadline_ = now + times_.power;
      break;
    case StopStep::quit:
      deadline_ = now + times_.quit;
      break;
    case StopStep::terminate:
      deadline_ = now + times_.terminate;
      break;
    case StopStep::kill:
      deadline_ = now + std::chrono::seconds(1);
      break;  // and again, until it is gone
  }
}

}  // namespace vmcred::supervise
