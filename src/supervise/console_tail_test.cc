#include "supervise/console_tail.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vmcred::supervise {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(ConsoleTail, KnowsTheKernelsLastWordInPieces) {
  ConsoleTail tail;
  tail.add("[   12.345678] reboot: Syst");
  EXPECT_FALSE(tail.halted());
  tail.add("em halted\r\n");
  EXPECT_TRUE(tail.halted());
  tail.clear();
  EXPECT_FALSE(tail.halted());
  tail.add("reboot: Power down\n");  // the VMM ends by itself
  EXPECT_FALSE(tail.halted());
  tail.add("reboot: System halted");
  EXPECT_TRUE(tail.halted());
}

TEST(ConsoleTail, TakesNoQuotationForIt) {
  ConsoleTail tail;
  tail.add("service[7]: reboot: System halted\n[x reboot: System halted\nreboot: System halted!\n");
  EXPECT_FALSE(tail.halted());
}

TEST(ConsoleTail, GivesTheLastLines) {
  ConsoleTail tail;
  EXPECT_THAT(tail.last_lines(), SizeIs(0));
  tail.add("one\r\n\r\ntwo\nthr");
  EXPECT_THAT(tail.last_lines(), ElementsAre("one", "two", "thr"));
  for (int i = 0; i < 2000; ++i) tail.add("a line of the console\n");
  tail.add("the end");
  EXPECT_THAT(tail.last_lines(), SizeIs(ConsoleTail::kLines));
  EXPECT_EQ(tail.last_lines().back(), "the end");
}

TEST(ConsoleTail, BeginsAtAPanic) {
  ConsoleTail tail;
  tail.add("booting\n[ 1.0] Kernel panic - not syncing: no init\n");
  for (int i = 0; i < 20; ++i) tail.add("[ 1.0]  trace\n");
  EXPECT_THAT(tail.last_lines(), SizeIs(ConsoleTail::kLines));
  EXPECT_EQ(tail.last_lines().front(), "[ 1.0] Kernel panic - not syncing: no init");
}

}  // namespace
}  // namespace vmcred::supervise
