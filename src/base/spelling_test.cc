#include "base/spelling.h"

#include "matchers.h"

namespace vmcred {
namespace {

TEST(DidYouMean, FindsTheNearWordAndNoFarOne) {
  EXPECT_EQ(did_you_mean("genrate", {"generate", "list"}), "did you mean 'generate'?");
  EXPECT_EQ(did_you_mean("API-KEY", {"API_KEY"}), "did you mean 'API_KEY'?");
  EXPECT_EQ(did_you_mean("banana", {"generate", "list"}), "");
}

TEST(NearOrKnown, NamesWhatThereIsWhereNothingIsNear) {
  EXPECT_EQ(near_or_known("genrate", {"generate", "list"}), "did you mean 'generate'?");
  EXPECT_EQ(near_or_known("banana", {}), "there is none");
  EXPECT_EQ(near_or_known("banana", {"web"}), "there is 'web'");
  EXPECT_EQ(near_or_known("banana", {"web", "db", "mail"}), "there are 'web', 'db' and 'mail'");
  EXPECT_EQ(near_or_known("banana", {"a1", "a2", "a3", "a4", "a5", "a6", "a7"}),
            "there are 'a1', 'a2', 'a3', 'a4', 'a5', 'a6' and 'a7'");
  EXPECT_EQ(near_or_known("banana", {"a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8"}),
            "there are 'a1', 'a2', 'a3', 'a4', 'a5', 'a6' and 2 more");
}

}  // namespace
}  // namespace vmcred
