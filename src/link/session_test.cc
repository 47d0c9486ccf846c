// Both halves against each other, and each against strangers.
#include <deque>

#include "link/guest.h"
#include "link/host.h"
#include "link/wire.h"
#include "matchers.h"

namespace vmcred::link {
namespace {

using ::testing::_;
using testing::FailsWith;
using ::testing::HasSubstr;
using testing::secret;
using testing::Succeeds;

/// Dice that show 1, 2, 3, …: no two nonces are alike and every run is the same.
class Counting : public Randomness {
 public:
  void fill(WritableBytes out) override {
    ++count_;
    for (auto& byte : out) byte = count_;
  }

 private:
  std::uint8_t count_ = 0;
};

const std::string kToken(32, 't');

class Link : public ::testing::Test {
 protected:
  HostSession host(bool by_reference = false) {
    Set expected;
    expected.values.emplace("API_KEY", secret("hunter2"));
    expected.values.emplace("BIG", Secret(200000));
    return HostSession({.vm = "test-vm",
                        .token = secret(kToken),
                        .expected = std::move(expected),
                        .by_reference = by_reference,
                        .randomness = &dice});
  }
  GuestSession guest(std::string_view key, bool agent = false, std::uint64_t generation = 0, std::uint8_t boot = 1) {
    BootId id = {};
    id.fill(boot);
    return GuestSession(
        {.key = secret(key), .boot_id = id, .agent = agent, .generation = generation, .randomness = &dice});
  }

  /// Carries bytes both ways until nobody has anything to say; `step` bytes at a time.
  static Result<> talk(HostSession& h, GuestSession& g, std::size_t step = 100000) {
    while (h.has_output() || g.has_output()) {
      const Secret up = g.take_output();
      for (std::size_t at = 0; at < up.size(); at += step)
        h.receive(up.bytes().subspan(at, std::min(step, up.size() - at)));
      const Secret down = h.take_output();
      for (std::size_t at = 0; at < down.size(); at += step) {
        TRY(g.receive(down.bytes().subspan(at, std::min(step, down.size() - at))));
      }
    }
    return {};
  }

  template <class E>
  static std::optional<E> next(auto& session) {
    while (auto event = session.take_event()) {
      if (auto* wanted = std::get_if<E>(&*event)) return std::move(*wanted);
    }
    return std::nullopt;
  }

  static Report report_of(const GuestSession& g, const std::map<std::string, std::string>& values,
                          std::uint64_t generation = 1) {
    Report report = {.generation = generation, .systemd_version = "252.39"};
    for (const auto& [name, value] : values) {
      report.copies.push_back(
          {.guest = name, .size = value.size(), .hash = credential_hash(g.receipt_key(), name, bytes_of(value))});
    }
    return report;
  }
  const std::map<std::string, std::string> kGood = {{"API_KEY", "hunter2"}, {"BIG", std::string(200000, '\0')}};

  Counting dice;
};

TEST_F(Link, AReceiptArrivesByteByByteAsWellAsAtOnce) {
  for (const std::size_t step : {1u, 7u, 100000u}) {
    HostSession h = host();
    GuestSession g = guest(kToken);
    ASSERT_THAT(talk(h, g, step), Succeeds());
    EXPECT_TRUE(next<Opened>(h));
    EXPECT_EQ(next<Welcomed>(g)->vm, "test-vm");
    Report report = report_of(g, kGood);
    report.consumers = {{"API_KEY", "api-key", "web.service", "active"}};
    report.outputs = {{"web.service", std::string(9000, 'x') + "\n"}};
    report.notices = {"nothing special"};
    ASSERT_THAT(g.report(report), Succeeds());
    ASSERT_THAT(talk(h, g, step), Succeeds());
    const auto arrived = next<ReceiptArrived>(h);
    ASSERT_TRUE(arrived);
    EXPECT_TRUE(arrived->receipt.complete());
    EXPECT_EQ(arrived->receipt.systemd_version, "252.39");
    EXPECT_EQ(arrived->receipt.boot_id, "01010101-0101-0101-0101-010101010101");
    EXPECT_EQ(arrived->receipt.outputs, report.outputs);
    EXPECT_EQ(arrived->receipt.notices, report.notices);
    EXPECT_EQ(arrived->receipt.entries.front().consumers, report.consumers);
    EXPECT_TRUE(next<Confirmed>(g)->complete);
    EXPECT_TRUE(h.spent());
  }
}

TEST_F(Link, TheTokenIsSpentWithTheFirstCompleteReceipt) {
  HostSession h = host();
  GuestSession first = guest(kToken);
  ASSERT_THAT(talk(h, first), Succeeds());
  ASSERT_THAT(first.report(report_of(first, {{"API_KEY", "hunt"}})), Succeeds());
  ASSERT_THAT(talk(h, first), Succeeds());
  EXPECT_FALSE(next<ReceiptArrived>(h)->receipt.complete());
  EXPECT_FALSE(h.spent());

  GuestSession second = guest(kToken);  // the same boot may try again
  ASSERT_THAT(talk(h, second), Succeeds());
  ASSERT_THAT(second.report(report_of(second, kGood)), Succeeds());
  ASSERT_THAT(talk(h, second), Succeeds());
  EXPECT_TRUE(h.spent());

  GuestSession third = guest(kToken);
  ASSERT_THAT(talk(h, third), Succeeds());
  EXPECT_EQ(next<Refused>(third)->reason, "the token is spent");
  EXPECT_EQ(next<TurnedAway>(h)->reason, "the token is spent");
}

TEST_F(Link, AnotherBootCannotUseTheToken) {
  HostSession h = host();
  GuestSession first = guest(kToken);
  ASSERT_THAT(talk(h, first), Succeeds());
  GuestSession second = guest(kToken, false, 0, 2);
  ASSERT_THAT(talk(h, second), Succeeds());
  EXPECT_EQ(next<Refused>(second)->reason, "the token belongs to another boot");
}

TEST_F(Link, AStrangerLearnsOnlyThatItIsOne) {
  HostSession h = host();
  GuestSession stranger = guest(std::string(32, 's'));
  ASSERT_THAT(talk(h, stranger), Succeeds());
  EXPECT_EQ(next<Refused>(stranger)->reason, "the key is not known");
  EXPECT_FALSE(h.open());
}

TEST_F(Link, AHostWithoutTheTokenIsNotBelieved) {
  GuestSession g = guest(kToken);
  const Secret said = g.take_output();
  const std::string hello(said.text().substr(said.size() - Hello::kSize));
  const Hello decoded = decode_hello(bytes_of(hello)).value();
  const std::string forged = encode_welcome({.guest_nonce = decoded.nonce, .version = 1}, hello, bytes_of("no idea"));
  EXPECT_THAT(g.receive(bytes_of(forged)), FailsWith(Errc::mismatch, "the host does not hold our token"));
}

TEST_F(Link, AnAnswerToAnEarlierBootIsPassedOver) {
  HostSession h = host();
  GuestSession earlier = guest(kToken);
  h.receive(earlier.take_output().bytes());
  const Secret stale = h.take_output();
  GuestSession g = guest(kToken);
  ASSERT_THAT(g.receive(stale.bytes()), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  EXPECT_TRUE(next<Welcomed>(g));
}

TEST_F(Link, ARestartedAgentEndsTheHalfFrameOfItsPredecessor) {
  for (std::size_t cut = 1; cut < 200; cut += 13) {
    HostSession h = host();
    GuestSession killed = guest(kToken);
    ASSERT_THAT(talk(h, killed), Succeeds());
    ASSERT_THAT(killed.report(report_of(killed, kGood)), Succeeds());
    const Secret half = killed.take_output();
    h.receive(half.bytes().first(cut));
    GuestSession g = guest(kToken);
    ASSERT_THAT(talk(h, g), Succeeds());
    ASSERT_TRUE(next<Welcomed>(g)) << cut;
    ASSERT_THAT(g.report(report_of(g, kGood)), Succeeds());
    ASSERT_THAT(talk(h, g), Succeeds());
    EXPECT_TRUE(h.receipt()->complete());
  }
}

TEST_F(Link, NoVersionInCommonIsSaid) {
  HostSession h = host();
  h.receive(bytes_of(encode_hello({.lowest = 2, .highest = 9})));
  EXPECT_EQ(next<TurnedAway>(h)->reason, "no protocol version in common");
  EXPECT_EQ(decode_welcome(h.take_output().bytes())->refusal, Refusal::version);
}

TEST_F(Link, ALaterGuestThatAlsoSpeaksVersionOneIsWelcome) {
  HostSession h = host();
  Hello hello = {.lowest = 1, .highest = 9, .key = derive_keys(bytes_of(kToken)).id};
  h.receive(bytes_of(encode_hello(hello)));
  EXPECT_EQ(decode_welcome(h.take_output().bytes())->version, 1);
}

TEST_F(Link, GarbageEndsTheStreamAndNothingElse) {
  HostSession h = host();
  GuestSession g = guest(kToken);
  ASSERT_THAT(talk(h, g), Succeeds());
  h.receive(bytes_of("what is this, it is certainly no frame of ours, and longer than a header"));
  EXPECT_TRUE(next<Violation>(h));
  EXPECT_FALSE(h.open());
  GuestSession again = guest(kToken);
  ASSERT_THAT(talk(h, again), Succeeds());
  EXPECT_TRUE(h.open());
}

TEST_F(Link, ReportsThatNobodyAskedForAreRefused) {
  HostSession h = host();
  GuestSession g = guest(kToken);
  ASSERT_THAT(talk(h, g), Succeeds());
  ASSERT_THAT(g.report(report_of(g, {})), Succeeds());
  ASSERT_THAT(g.report(report_of(g, {})), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  EXPECT_THAT(next<Violation>(h)->reason, HasSubstr("nobody asked"));
}

TEST_F(Link, ASetArrivesByReference) {
  HostSession h = host(true);
  GuestSession g = guest(kToken, true);
  ASSERT_THAT(talk(h, g, 1000), Succeeds());
  std::optional<Received> received;
  bool kept = false;
  while (auto event = g.take_event()) {
    if (std::holds_alternative<NewSecret>(*event)) kept = true;
    if (auto* welcomed = std::get_if<Welcomed>(&*event)) {
      EXPECT_TRUE(welcomed->set_follows);
    }
    if (auto* set = std::get_if<Received>(&*event)) received = std::move(*set);
  }
  EXPECT_TRUE(kept);
  ASSERT_TRUE(received);
  EXPECT_TRUE(received->first);
  EXPECT_EQ(received->set.values.at("API_KEY").text(), "hunter2");
  EXPECT_EQ(received->set.values.at("BIG").size(), 200000u);
}

TEST_F(Link, EachContactReplacesTheSessionSecret) {
  HostSession h = host();
  GuestSession first = guest(kToken, true);
  ASSERT_THAT(talk(h, first), Succeeds());
  const auto one = next<NewSecret>(first);
  ASSERT_THAT(first.report(report_of(first, kGood)), Succeeds());
  ASSERT_THAT(talk(h, first), Succeeds());
  EXPECT_TRUE(h.spent());

  GuestSession second = guest(one->secret.text(), true, 1);
  ASSERT_THAT(talk(h, second), Succeeds());
  const auto two = next<NewSecret>(second);
  ASSERT_TRUE(two);
  GuestSession lost = guest(one->secret.text(), true, 1);  // the second was killed before it kept `two`
  ASSERT_THAT(talk(h, lost), Succeeds());
  const auto three = next<NewSecret>(lost);
  ASSERT_TRUE(three);
  GuestSession fourth = guest(three->secret.text(), true, 1);
  ASSERT_THAT(talk(h, fourth), Succeeds());
  EXPECT_TRUE(next<NewSecret>(fourth));
  for (const auto* old : {&one->secret, &two->secret}) {
    GuestSession replay = guest(old->text(), true, 1);
    ASSERT_THAT(talk(h, replay), Succeeds());
    EXPECT_TRUE(next<Refused>(replay));
  }
}

TEST_F(Link, ARefreshIsTakenOverOnlyWhenTheGuestSaysSo) {
  HostSession h = host();
  GuestSession g = guest(kToken, true);
  EXPECT_THAT(h.refresh({}), FailsWith(Errc::unavailable, _));
  ASSERT_THAT(talk(h, g), Succeeds());
  ASSERT_THAT(g.report(report_of(g, kGood)), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  for (const bool ok : {false, true}) {
    Set set = {.generation = 2,
               .actions = {{.unit = "web.service", .action = Action::signal, .signal = "HUP", .health_seconds = 3}}};
    set.values.emplace("API_KEY", secret("hunter3"));
    ASSERT_THAT(h.refresh(std::move(set)), Succeeds());
    EXPECT_THAT(h.refresh({}), FailsWith(Errc::unavailable, HasSubstr("already")));
    ASSERT_THAT(talk(h, g), Succeeds());
    const auto received = next<Received>(g);
    ASSERT_TRUE(received);
    EXPECT_EQ(received->set.actions.front().signal, "HUP");
    EXPECT_FALSE(received->first);  // though no set came by the link before
    ASSERT_THAT(ok ? g.report(report_of(g, {{"API_KEY", "hunter3"}}, 2)) : g.report(report_of(g, kGood)), Succeeds());
    ASSERT_THAT(g.refreshed(ok, ok ? 2 : 1, ok ? "" : "web.service failed"), Succeeds());
    ASSERT_THAT(talk(h, g), Succeeds());
    EXPECT_TRUE(next<ReceiptArrived>(h)->receipt.complete());
    EXPECT_EQ(next<Refreshed>(h)->ok, ok);
  }
  EXPECT_EQ(h.receipt()->generation, 2u);
}

TEST_F(Link, ARefreshWithoutProofFails) {
  HostSession h = host();
  GuestSession g = guest(kToken, true);
  ASSERT_THAT(talk(h, g), Succeeds());
  ASSERT_THAT(g.report(report_of(g, kGood)), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  Set set = {.generation = 2};
  set.values.emplace("API_KEY", secret("hunter3"));
  ASSERT_THAT(h.refresh(std::move(set)), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  ASSERT_THAT(g.refreshed(true, 2, ""), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  const auto end = next<Refreshed>(h);
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->ok);
  EXPECT_EQ(end->text, "the guest did not prove the new credentials");
}

TEST_F(Link, ALostAgentFailsTheRefreshAndTheNextContactRepairs) {
  HostSession h = host();
  GuestSession g = guest(kToken, true);
  ASSERT_THAT(talk(h, g), Succeeds());
  Set set = {.generation = 2};
  set.values.emplace("API_KEY", secret("hunter3"));
  ASSERT_THAT(h.refresh(std::move(set)), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  h.begin_stream();
  EXPECT_FALSE(next<Refreshed>(h)->ok);
  GuestSession back = guest(kToken, true, 2);  // it had mounted the new set when it was killed
  ASSERT_THAT(talk(h, back), Succeeds());
  const auto repair = next<Received>(back);
  ASSERT_TRUE(repair);
  EXPECT_EQ(repair->set.generation, 1u);
  EXPECT_FALSE(repair->first);
}

TEST_F(Link, ARepairDealsWithTheUnitsOfTheLostRefreshUntilTheGuestSaysDone) {
  HostSession h = host();
  GuestSession g = guest(kToken, true);
  ASSERT_THAT(talk(h, g), Succeeds());
  Set set = {.generation = 2, .actions = {{.unit = "web.service"}}};
  set.values.emplace("API_KEY", secret("hunter3"));
  ASSERT_THAT(h.refresh(std::move(set)), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  // It was killed after it took the new set back, before the units had the old values again: the right set is in place.
  for (const bool answers : {false, true}) {
    h.begin_stream();
    GuestSession back = guest(kToken, true, 0);
    ASSERT_THAT(talk(h, back), Succeeds());
    const auto repair = next<Received>(back);
    ASSERT_TRUE(repair);
    EXPECT_EQ(repair->set.generation, 1u);
    ASSERT_EQ(repair->set.actions.size(), 1u);
    EXPECT_EQ(repair->set.actions.front().unit, "web.service");
    EXPECT_FALSE(repair->first);
    if (!answers) continue;
    ASSERT_THAT(back.report(report_of(back, kGood)), Succeeds());
    ASSERT_THAT(back.refreshed(true, 1, ""), Succeeds());
    ASSERT_THAT(talk(h, back), Succeeds());
  }
  h.begin_stream();
  GuestSession settled = guest(kToken, true, 1);
  while (h.take_event()) {
  }
  ASSERT_THAT(talk(h, settled), Succeeds());
  EXPECT_FALSE(next<Received>(settled));
}

TEST_F(Link, ScreeningTellsAStrangerFromAGuestAndLeavesTheStreamAlone) {
  HostSession h = host();
  GuestSession g = guest(kToken);
  ASSERT_THAT(talk(h, g), Succeeds());
  const std::string known = encode_hello(
      {.boot_id = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, .key = derive_keys(bytes_of(kToken)).id});
  EXPECT_FALSE(h.screen(bytes_of(known)));
  const auto reply = h.screen(bytes_of(encode_hello({.key = {7}})));
  ASSERT_TRUE(reply);
  EXPECT_EQ(decode_welcome(bytes_of(*reply))->refusal, Refusal::unknown_key);
  EXPECT_EQ(next<TurnedAway>(h)->reason, "the key is not known");
  EXPECT_TRUE(h.open());
  ASSERT_THAT(g.report(report_of(g, kGood)), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  EXPECT_TRUE(h.receipt()->complete());
}

TEST_F(Link, PowerOffAndReportRequestsReachTheAgent) {
  HostSession h = host();
  EXPECT_THAT(h.power_off(), FailsWith(Errc::unavailable, HasSubstr("test-vm")));
  GuestSession g = guest(kToken, true);
  ASSERT_THAT(talk(h, g), Succeeds());
  ASSERT_THAT(h.ask_report(), Succeeds());
  ASSERT_THAT(h.power_off(), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  EXPECT_TRUE(next<ReportWanted>(g));
  EXPECT_EQ(next<PowerOff>(g)->how, Departure::power_off);
  ASSERT_THAT(h.power_off(Departure::reboot), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  EXPECT_EQ(next<PowerOff>(g)->how, Departure::reboot);
}

TEST_F(Link, TheAgentSaysHowTheGuestLeaves) {
  HostSession h = host();
  GuestSession early = guest(kToken, true);
  EXPECT_THAT(early.leaving(Departure::halt), FailsWith(Errc::unavailable, HasSubstr("did not answer")));
  GuestSession g = guest(kToken, true);
  ASSERT_THAT(talk(h, g), Succeeds());
  for (const Departure how : {Departure::reboot, Departure::power_off, Departure::halt, Departure::kexec}) {
    ASSERT_THAT(g.leaving(how), Succeeds());
    ASSERT_THAT(talk(h, g), Succeeds());
    EXPECT_EQ(next<Leaving>(h)->how, how);
  }
  EXPECT_TRUE(h.open());
}

TEST_F(Link, WhoDoesNotStayCannotSayThatTheGuestLeaves) {
  HostSession h = host();
  GuestSession g = guest(kToken, false);
  ASSERT_THAT(talk(h, g), Succeeds());
  ASSERT_THAT(g.leaving(Departure::power_off), Succeeds());
  ASSERT_THAT(talk(h, g), Succeeds());
  EXPECT_TRUE(next<Violation>(h));
}

}  // namespace
}  // namespace vmcred::link
