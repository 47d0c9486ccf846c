#include "supervise/stop_plan.h"

#include <gtest/gtest.h>

namespace vmcred::supervise {
namespace {

using std::chrono::milliseconds;

TEST(StopPlan, WaitsForEachStepItsTime) {
  const SteadyTime start{};
  StopPlan plan(
      {.agent = milliseconds(10), .power = milliseconds(20), .quit = milliseconds(1), .terminate = milliseconds(1)});
  EXPECT_FALSE(plan.due(start));
  plan.enter(StopStep::agent, start);
  EXPECT_FALSE(plan.due(start + milliseconds(9)));
  EXPECT_TRUE(plan.due(start + milliseconds(10)));
  plan.enter(StopPlan::after(plan.step()), start + milliseconds(10));
  EXPECT_EQ(plan.step(), StopStep::power);
  EXPECT_EQ(plan.deadline(), start + milliseconds(30));
}

TEST(StopPlan, NeverGoesBackToAKinderStep) {
  StopPlan plan({});
  plan.enter(StopStep::quit, {});
  plan.enter(StopStep::agent, {});
  EXPECT_EQ(plan.step(), StopStep::terminate);
}

TEST(StopPlan, EndsWithKillAndStaysThere) {
  StopPlan plan({});
  plan.enter(StopStep::kill, {});
  plan.enter(StopPlan::after(plan.step()), {});
  EXPECT_EQ(plan.step(), StopStep::kill);
}

}  // namespace
}  // namespace vmcred::supervise
