#include "base/merge_marks.h"

#include "matchers.h"

namespace vmcred {
namespace {

TEST(MergeMarks, AreFoundAtTheBeginOfLinesAllThreeTogether) {
  EXPECT_EQ(line_of_merge_mark("<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n"), 1U);
  EXPECT_EQ(line_of_merge_mark("x\ny\n<<<<<<< HEAD\r\na\r\n=======\r\nb\r\n>>>>>>> other"), 3U);
  EXPECT_EQ(line_of_merge_mark("say <<<<<<< HEAD\n<<<<<<< HEAD\na\n=======\nb\n>>>>>>> other\n"), 2U);
  EXPECT_EQ(line_of_merge_mark("<<<<<<< HEAD\na\n>>>>>>> other\n"), 0U);
  EXPECT_EQ(line_of_merge_mark("Title\n=======\n >>>>>>> quoted\n"), 0U);
  EXPECT_EQ(line_of_merge_mark(""), 0U);
}

}  // namespace
}  // namespace vmcred
