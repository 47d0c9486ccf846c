// The guard between clients and a VMM that this test plays: both are sockets of this process.
#include "supervise/guard.h"

#include <sys/socket.h>

#include "base/file.h"
#include "matchers.h"
#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

using Protocol = vmm::Guard::Protocol;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::HasSubstr;
using ::testing::Not;
using testing::Succeeds;
using testing::TestFolder;

constexpr std::string_view kGreeting = R"({"QMP":{"version":{"qemu":{"major":7}},"capabilities":[]}})";

class GuardTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto pair = make_socket_pair();
    ASSERT_THAT(pair, Succeeds());
    monitor_ = std::move(pair->second);
    auto api = listen_on(folder_ / "vmm");
    ASSERT_THAT(api, Succeeds());
    api_ = std::move(*api);
    auto guard = Guard::open(
        {{Protocol::qmp, folder_ / "qmp"}, {Protocol::hmp, folder_ / "hmp"}, {Protocol::rest, folder_ / "api"}},
        {.allowed = {"query-status", "GET /info"}, .hidden = {"oem_strings"}},
        {.monitor = std::move(pair->first), .api = folder_ / "vmm"});
    ASSERT_THAT(guard, Succeeds());
    guard_ = std::move(*guard);
    write_all(monitor_, std::string(kGreeting) + "\r\n").value();
    guard_.let_in();
  }

  Fd connect(const std::string& name) {
    const auto address = unix_address(folder_ / name);
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0);  // NOLINT
    turn();
    return socket;
  }
  void turn() {
    for (int i = 0; i < 3; ++i) {
      for (std::string& refusal : guard_.turn()) refusals_.push_back(std::move(refusal));
    }
  }
  /// What has come for us after the guard had its turn.
  std::string heard(const Fd& socket) {
    turn();
    std::string all;
    char buffer[4096];
    for (ssize_t n = 0; (n = ::recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT)) > 0;)
      all.append(buffer, static_cast<std::size_t>(n));
    return all;
  }
  static void say(const Fd& socket, std::string_view text) {
    EXPECT_EQ(::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT),
              static_cast<ssize_t>(text.size()));
  }

  TestFolder folder_;
  Fd monitor_;
  Fd api_;
  Guard guard_;
  std::vector<std::string> refusals_;
};

TEST_F(GuardTest, AQmpClientHasASessionOfItsOwn) {
  const Fd client = connect("qmp");
  EXPECT_THAT(heard(client), HasSubstr(std::string(kGreeting)));
  EXPECT_THAT(heard(monitor_), HasSubstr("qmp_capabilities"));
  say(client, R"({"execute":"query-status"})");
  EXPECT_THAT(heard(client), HasSubstr("expecting capabilities negotiation"));
  say(client, R"({"execute":"qmp_capabilities"}{"execute":"query-status","id":"guard-1"})");
  EXPECT_EQ(heard(client), "{\"return\":{}}\r\n");
  EXPECT_EQ(heard(monitor_), "{\"execute\":\"query-status\",\"id\":\"guard-1\"}\n");
  say(monitor_, "{\"return\":{\"status\":\"running\"},\"id\":\"guard-1\"}\r\n{\"event\":\"STOP\"}\r\n");
  EXPECT_EQ(heard(client), "{\"return\":{\"status\":\"running\"},\"id\":\"guard-1\"}\r\n{\"event\":\"STOP\"}\r\n");
}

TEST_F(GuardTest, WhatIsNotListedNeverReachesTheMonitor) {
  const Fd client = connect("qmp");
  (void)heard(monitor_);
  say(client,
      R"({"execute":"qmp_capabilities"}{"execute":"pmemsave","arguments":{"filename":"/x"}}{"execute":"human-monitor-command"})");
  EXPECT_THAT(heard(client), HasSubstr("'pmemsave'"));
  EXPECT_EQ(heard(monitor_), "");
  ASSERT_EQ(refusals_.size(), 2U);
  EXPECT_THAT(refusals_[1], HasSubstr("'human-monitor-command'"));
}

TEST_F(GuardTest, ABurstIsAnsweredToItsEndInSeveralTurns) {
  const Fd client = connect("qmp");
  (void)heard(client);
  std::string burst;
  for (int i = 0; i < 100; ++i) burst += R"({"execute":"qmp_capabilities"})";
  say(client, burst);
  guard_.turn();
  EXPECT_TRUE(guard_.has_more());
  for (int i = 0; i < 100 && guard_.has_more(); ++i) guard_.turn();
  EXPECT_EQ(heard(client).size(), 100 * std::string_view("{\"return\":{}}\r\n").size());
}

TEST_F(GuardTest, AHumanMonitorKnowsAFewWords) {
  const Fd client = connect("hmp");
  EXPECT_THAT(heard(client), HasSubstr("(qemu) "));
  (void)heard(monitor_);
  say(client, "info status\nxp /16x 0xe0000\n");
  EXPECT_EQ(heard(monitor_), "{\"execute\":\"query-status\",\"id\":\"guard-1\"}\n");
  say(monitor_, "{\"return\":{\"status\":\"running\"},\"id\":\"guard-1\"}\r\n");
  EXPECT_EQ(heard(client),
            "VM status: running\r\n(qemu) Error: the guard of this vm does not let 'xp' through\r\n(qemu) ");
}

TEST_F(GuardTest, AnApiClientGetsTheAnswerWithoutWhatIsHidden) {
  const Fd client = connect("api");
  say(client, "GET /info HTTP/1.1\r\n\r\n");
  turn();
  const Fd call(::accept4(api_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  ASSERT_TRUE(call);
  EXPECT_THAT(heard(call), HasSubstr("GET /info HTTP/1.1\r\n"));
  const std::string body = R"({"state":"Running","config":{"platform":{"oem_strings":["canary"]}}})";
  say(call, fmt::format("HTTP/1.1 200 \r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
  const std::string answer = heard(client);
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 200 \r\n"));
  EXPECT_THAT(answer, HasSubstr(R"({"state":"Running","config":{"platform":{}}})"));
  EXPECT_THAT(answer, Not(HasSubstr("canary")));
}

TEST_F(GuardTest, AnApiRequestThatIsNotListedIsRefused) {
  const Fd client = connect("api");
  say(client, "PUT /snapshot HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}GET /info HTTP/1.1\r\n\r\n");
  EXPECT_THAT(heard(client), HasSubstr("HTTP/1.1 403 \r\n"));
  EXPECT_THAT(refusals_, ElementsAre("the guard of this vm does not let 'PUT /snapshot' through"));
  // The one behind it is on its way: a refusal keeps the connection.
  EXPECT_TRUE(Fd(::accept4(api_.get(), nullptr, nullptr, SOCK_CLOEXEC)));
}

TEST_F(GuardTest, ErrorsHaveTheFormOfTheApiBehind) {
  const Fd client = connect("api");
  say(client, "PUT /snapshot HTTP/1.1\r\n\r\n");
  EXPECT_THAT(heard(client), HasSubstr("\r\n\r\n[\"the guard of this vm does not let 'PUT /snapshot' through\"]"));
  auto guard =
      Guard::open({{Protocol::rest, folder_ / "other"}}, {.error_member = "fault_message"}, {.api = folder_ / "vmm"});
  ASSERT_THAT(guard, Succeeds());
  guard_ = std::move(*guard);
  guard_.let_in();
  const Fd other = connect("other");
  say(other, "PUT /logger HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_THAT(heard(other),
              HasSubstr(R"({"fault_message":"the guard of this vm does not let 'PUT /logger' through"})"));
}

TEST_F(GuardTest, RemembersThatThePowerKeyWasPressed) {
  auto guard = Guard::open({{Protocol::rest, folder_ / "other"}},
                           {.allowed = {"PUT /actions"}, .power = "PUT /actions", .power_word = "SendCtrlAltDel"},
                           {.api = folder_ / "vmm"});
  ASSERT_THAT(guard, Succeeds());
  guard_ = std::move(*guard);
  guard_.let_in();
  const auto ask = [&](const std::string& body) {
    const Fd client = connect("other");
    say(client, fmt::format("PUT /actions HTTP/1.1\r\nContent-Length: {}\r\n\r\n{}", body.size(), body));
    turn();
    return guard_.power_pressed();
  };
  EXPECT_FALSE(ask(R"({"action_type":"FlushMetrics"})"));
  EXPECT_TRUE(ask(R"({"action_type":"SendCtrlAltDel"})"));
}

TEST_F(GuardTest, RemembersThatTheMonitorWasToldToEndTheGuest) {
  auto pair = make_socket_pair();
  ASSERT_THAT(pair, Succeeds());
  auto guard = Guard::open({{Protocol::qmp, folder_ / "other"}},
                           {.allowed = {"query-status", "system_powerdown", "input-send-event"}},
                           {.monitor = std::move(pair->first)});
  ASSERT_THAT(guard, Succeeds());
  monitor_ = std::move(pair->second);
  guard_ = std::move(*guard);
  write_all(monitor_, std::string(kGreeting) + "\r\n").value();
  guard_.let_in();
  const auto pressed = [&](std::string_view command) {
    const Fd client = connect("other");
    say(client, "{\"execute\":\"qmp_capabilities\"}");
    turn();
    say(client, command);
    turn();
    return guard_.power_pressed();
  };
  EXPECT_FALSE(pressed(R"({"execute":"query-status"})"));
  const std::string_view keys =
      R"({"execute":"input-send-event","arguments":{"events":[{"type":"key","data":{"down":true,"key":{"type":"qcode","data":"delete"}}}]}})";
  EXPECT_TRUE(pressed(keys));
}

TEST_F(GuardTest, HalfRequestsHoldNobodyUp) {
  std::vector<Fd> half;
  for (std::size_t i = 0; i < 3 * kMaxGuardClients; ++i) {
    half.push_back(connect(i % 2 == 0 ? "api" : "qmp"));
    say(half.back(), i % 2 == 0 ? "GET /info HT" : "{\"execute\":");
  }
  EXPECT_LE(guard_.clients(), kMaxGuardClients);
  const Fd client = connect("qmp");
  say(client, R"({"execute":"qmp_capabilities"})");
  EXPECT_THAT(heard(client), HasSubstr("{\"return\":{}}"));
}

TEST_F(GuardTest, AFloodIsCutOff) {
  const Fd client = connect("qmp");
  const std::string flood(64 * 1024, '{');
  for (int i = 0; i < 64; ++i) {
    (void)::send(client.get(), flood.data(), flood.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    turn();
  }
  EXPECT_EQ(guard_.clients(), 0U);
}

TEST_F(GuardTest, AClientThatDoesNotReadIsLetGo) {
  const Fd client = connect("qmp");
  say(client, R"({"execute":"qmp_capabilities"})");
  turn();
  std::string events;
  for (int i = 0; i < 1000; ++i)
    events += "{\"event\":\"RTC_CHANGE\",\"data\":{\"padding\":\"" + std::string(500, 'x') + "\"}}\r\n";
  for (int i = 0; i < 8 && guard_.clients() > 0; ++i) {
    for (std::string_view rest = events; !rest.empty();) {
      const ssize_t n = ::send(monitor_.get(), rest.data(), rest.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n > 0) rest.remove_prefix(static_cast<std::size_t>(n));
      turn();
    }
  }
  EXPECT_EQ(guard_.clients(), 0U);
}

TEST_F(GuardTest, AClientThatSaidAllStillGetsItsAnswer) {
  const Fd client = connect("qmp");
  (void)heard(monitor_);
  say(client, R"({"execute":"qmp_capabilities"}{"execute":"query-status"})");
  ::shutdown(client.get(), SHUT_WR);
  turn();
  say(monitor_, "{\"return\":{\"status\":\"paused\"},\"id\":\"guard-1\"}\r\n");
  EXPECT_THAT(heard(client), HasSubstr("paused"));
  EXPECT_EQ(guard_.clients(), 0U);
}

TEST_F(GuardTest, TheMonitorsLastAnswerGoesOutAndThenItsClients) {
  const Fd client = connect("qmp");
  const Fd unanswered = connect("qmp");
  for (const Fd* one : {&client, &unanswered}) {
    say(*one, R"({"execute":"qmp_capabilities"}{"execute":"query-status"}{"execute":"query-status"})");
    (void)heard(*one);
  }
  (void)heard(monitor_);
  say(monitor_, "{\"return\":{},\"id\":\"guard-1\"}\r\n");
  monitor_ = Fd();
  EXPECT_EQ(heard(client), "{\"return\":{}}\r\n");
  for (const Fd* one : {&client, &unanswered}) {
    char byte = 0;
    EXPECT_EQ(::recv(one->get(), &byte, 1, MSG_DONTWAIT), 0);
  }
}

TEST_F(GuardTest, LeavesAFileThatIsNoSocketAlone) {
  folder_.write("precious", "text");
  EXPECT_THAT(Guard::open({{Protocol::qmp, folder_ / "precious"}}, {}, {}),
              FailsWith(Errc::usage, HasSubstr("something else")));
  EXPECT_EQ(read_file(folder_ / "precious", 10).value(), "text");
}

TEST_F(GuardTest, ItsSocketsGoWithIt) {
  EXPECT_TRUE(exists(folder_ / "qmp"));
  guard_ = Guard();
  EXPECT_FALSE(exists(folder_ / "qmp"));
}

}  // namespace
}  // namespace vmcred::supervise
