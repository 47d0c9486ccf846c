#include "supervise/qmp.h"

#include <sys/socket.h>

#include "matchers.h"

namespace vmcred::supervise {
namespace {

using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;

constexpr std::string_view kGreeting =
    R"({"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}, "package": ""}, "capabilities": ["oob"]}})"
    "\r\n";

/// A driver and the QEMU at the other end of its socket.
class Qmp : public ::testing::Test {
 protected:
  Qmp() {
    FdPair pair = make_socket_pair().value();
    qemu_ = std::move(pair.second);
    driver_ = std::make_unique<QmpDriver>(std::move(pair.first));
    EXPECT_THAT(driver_->begin(), Succeeds());
  }
  Result<std::vector<DriverEvent>> qemu_says(std::string_view text) {
    EXPECT_THAT(write_all(qemu_, text), Succeeds());
    return driver_->receive();
  }
  std::string driver_said() {
    char buffer[4096];
    const ssize_t n = ::recv(qemu_.get(), buffer, sizeof buffer, MSG_DONTWAIT);
    return n > 0 ? std::string(buffer, static_cast<std::size_t>(n)) : "";
  }

  Fd qemu_;
  std::unique_ptr<QmpDriver> driver_;
};

TEST_F(Qmp, SaysThatTheChannelIsReadAtTheReplyNotAtTheGreeting) {
  EXPECT_TRUE(qemu_says(kGreeting)->empty());
  EXPECT_EQ(driver_said(), "{\"execute\":\"qmp_capabilities\",\"id\":\"qmp_capabilities\"}\n");
  const auto events = qemu_says("{\"return\": {}, \"id\": \"qmp_capabilities\"}\r\n");
  ASSERT_THAT(events, Succeeds());
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(events->front().kind, DriverEvent::Kind::channel_read);
}

TEST_F(Qmp, RefusesAVersionBeforeItNegotiates) {
  FdPair pair = make_socket_pair().value();
  std::string asked;
  QmpDriver driver(std::move(pair.first), [&asked](std::string_view version) -> Result<> {
    asked = version;
    return fail(Errc::unavailable, "too old");
  });
  ASSERT_THAT(driver.begin(), Succeeds());
  ASSERT_THAT(write_all(pair.second, kGreeting), Succeeds());
  EXPECT_THAT(driver.receive(), FailsWith(Errc::unavailable, HasSubstr("too old")));
  EXPECT_EQ(asked, "7.2.22");
  char byte = 0;
  EXPECT_EQ(::recv(pair.second.get(), &byte, 1, MSG_DONTWAIT), -1);
}

TEST_F(Qmp, ReadsWhyTheGuestStopped) {
  const auto events = qemu_says(
      R"({"timestamp": {"seconds": 1, "microseconds": 2}, "event": "SHUTDOWN", "data": {"guest": true, "reason": "guest-reset"}})"
      "\n");
  ASSERT_THAT(events, Succeeds());
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(events->front().end, GuestEnd::reset);
}

TEST_F(Qmp, TakesLinesInPieces) {
  EXPECT_TRUE(qemu_says(R"({"event": "SHUTDOWN", "data": {"guest": true, "rea)")->empty());
  const auto events = qemu_says("son\": \"guest-shutdown\"}}\n{\"event\":\"STOP\"}\n");
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(events->front().end, GuestEnd::powered_off);
}

TEST_F(Qmp, AFailedContIsAnError) {
  EXPECT_THAT(qemu_says("{\"id\": \"cont\", \"error\": {\"class\": \"GenericError\", \"desc\": \"no such block\"}}\n"),
              FailsWith(Errc::io, HasSubstr("no such block")));
}

TEST_F(Qmp, AFailedKeyPressIsNot) {
  EXPECT_THAT(
      qemu_says("{\"id\": \"send-key\", \"error\": {\"class\": \"GenericError\", \"desc\": \"no keyboard\"}}\n"),
      Succeeds());
}

TEST_F(Qmp, RefusesALineWithoutEnd) {
  LineReader reader(10);
  EXPECT_THAT(reader.feed("0123456789"), Succeeds());
  EXPECT_THAT(reader.feed("0"), FailsWith(Errc::invalid_data, HasSubstr("more than 10 bytes")));
}

TEST_F(Qmp, RefusesWhatIsNoQmp) {
  EXPECT_THAT(qemu_says("{\"hello\": 1}\n"), FailsWith(Errc::invalid_data, HasSubstr("unknown kind")));
}

TEST_F(Qmp, SeesTheSocketClose) {
  qemu_ = Fd();
  const auto events = driver_->receive();
  ASSERT_EQ(events->size(), 1U);
  EXPECT_EQ(events->front().kind, DriverEvent::Kind::closed);
}

TEST_F(Qmp, CannotQuitBeforeItTakesCommands) {
  EXPECT_THAT(driver_->quit(), FailsWith(Errc::unavailable, HasSubstr("yet")));
}

}  // namespace
}  // namespace vmcred::supervise
