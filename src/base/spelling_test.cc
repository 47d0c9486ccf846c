#include "base/spelling.h"

#include "matchers.h"

namespace vmcred {
namespace {

TEST(DidYouMean, FindsTheNearWordAndNoFarOne) {
  EXPECT_EQ(did_you_mean("genrate", {"generate", "list"}), "did you mean 'generate'?");
  EXPECT_EQ(did_you_mean("API-KEY", {"API_KEY"}), "did you mean 'API_KEY'?");
  EXPECT_EQ(did_you_mean("banana", {"generate", "list"}), "");
}

}  // namespace
}  // namespace vmcred
