#include "supervise/arrival.h"

#include "matchers.h"

namespace vmcred::supervise {
namespace {

using testing::HasSubstr;

ReceiptLine line(std::string state, std::vector<ServiceLine> services = {}, bool older = false) {
  return {.guest = "API_KEY", .state = std::move(state), .size = 3, .services = std::move(services), .older = older};
}
Status status(std::vector<ReceiptLine> lines, bool proven = true) {
  Status status = {.vm = "web", .state = VmState::running, .proven = proven};
  status.receipts = std::move(lines);
  return status;
}

TEST(Arrival, IsProvenOnlyWhereAServiceRunsWithIt) {
  EXPECT_EQ(arrival_of(line("received", {{"web.service", "active"}})), Arrival::proven);
  EXPECT_EQ(arrival_of(line("received", {{"web.service", "reloading"}})), Arrival::proven);
  EXPECT_EQ(arrival_of(line("received")), Arrival::arrived);
  for (const char* const state : {"failed", "inactive", "activating", "", "not in the guest"}) {
    EXPECT_EQ(arrival_of(line("received", {{"web.service", state}})), Arrival::arrived) << state;
    EXPECT_EQ(arrival_of(line("received", {{"ok.service", "active"}, {"web.service", state}})), Arrival::arrived)
        << state;
  }
}

TEST(Arrival, IsOlderOrBrokenWhoeverRunsWithIt) {
  EXPECT_EQ(arrival_of(line("received", {{"web.service", "active"}}, true)), Arrival::older);
  EXPECT_EQ(arrival_of(line("truncated", {{"web.service", "active"}})), Arrival::broken);
  EXPECT_EQ(arrival_of(line("missing", {}, true)), Arrival::broken);
  EXPECT_EQ(arrival_of(line("")), Arrival::unknown);
}

TEST(Arrival, OfAVmIsThatOfItsWorstCredential) {
  const ReceiptLine good = line("received", {{"web.service", "active"}});
  EXPECT_EQ(arrival_of(status({good})), Arrival::proven);
  EXPECT_EQ(arrival_of(status({good, line("received")})), Arrival::arrived);
  EXPECT_EQ(arrival_of(status({good, line("received", {}, true)})), Arrival::older);
  EXPECT_EQ(arrival_of(status({}, false)), Arrival::unknown);
  EXPECT_EQ(arrival_of(status({good, line("unexpected")})), Arrival::proven);  // nobody sent it
}

TEST(Arrival, IsSaidWithItsReasons) {
  EXPECT_THAT(arrival_text(status({line("received", {{"web.service", "not in the guest"}})})),
              HasSubstr("not proven: 'API_KEY' (web.service is not in the guest)"));
  EXPECT_THAT(arrival_text(status({line("received")})), HasSubstr("nobody loads 'API_KEY'"));
  EXPECT_THAT(arrival_text(status({line("received", {}, true)})), HasSubstr("'vmcred vm refresh web'"));
}

}  // namespace
}  // namespace vmcred::supervise
