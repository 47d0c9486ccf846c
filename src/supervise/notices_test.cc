#include "supervise/notices.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include "matchers.h"
#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

using std::chrono::milliseconds;
using testing::TestFolder;

TEST(Notice, KnowsWhatSystemdSays) {
  const Notice ready =
      parse_notice("READY=1\nSTATUS=Startup finished in 1.2s.\nX_SYSTEMD_UNIT_ACTIVE=multi-user.target\n");
  EXPECT_TRUE(ready.ready);
  EXPECT_EQ(ready.status, "Startup finished in 1.2s.");
  EXPECT_EQ(notice_text(ready), "ready; reached multi-user.target; Startup finished in 1.2s.");
  const Notice end =
      parse_notice("X_SYSTEMD_SHUTDOWN=poweroff\nEXIT_STATUS=7\nX_SYSTEMD_UNIT_INACTIVE=multi-user.target");
  EXPECT_EQ(notice_text(end), "left multi-user.target; shuts down: poweroff; exit status 7");
  EXPECT_EQ(notice_text(parse_notice("X_SYSTEMD_HOSTNAME=web\nX_SYSTEMD_MACHINE_ID=1\nX_SYSTEMD_SIGNALS_LEVEL=2")), "");
  EXPECT_EQ(parse_notice("X_SYSTEMD_HOSTNAME=web").hostname, "web");
}

TEST(Notice, TakesNothingElseForAWord) {
  for (const char* text :
       {"", "\n\n", "READY", "READY=", "READY=10", "READY=0", "ready=1", " READY=1", "XREADY=1", "READY=1 \n"}) {
    EXPECT_FALSE(parse_notice(text).ready) << text;
  }
  for (const char* text :
       {"EXIT_STATUS=", "EXIT_STATUS=-1", "EXIT_STATUS=256", "EXIT_STATUS=1x", "EXIT_STATUS=99999999999999999999"}) {
    EXPECT_FALSE(parse_notice(text).exit_status) << text;
  }
}

TEST(Notice, ShowsNoControlCharactersAndNotTooMuch) {
  EXPECT_EQ(parse_notice("STATUS=\x1b[2Jred\tgreen\x7f\xff").status, "?[2Jred?green??");
  EXPECT_EQ(parse_notice("STATUS=" + std::string(3000, 'x')).status.size(), kMaxNoticeText);
}

/// A listener, and callers from a guest.
class Listener : public ::testing::Test {
 protected:
  Listener() : listener_(listen_on(folder_ / "notify").value()) {}
  Fd call(std::string_view text, bool hang_up = true) {
    const sockaddr_un address = unix_address(folder_ / "notify").value();
    Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    say(socket, text);
    if (hang_up) EXPECT_EQ(::shutdown(socket.get(), SHUT_WR), 0);
    return socket;
  }
  static void say(const Fd& socket, std::string_view text) {
    (void)::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  /// Our side hung up.
  static bool closed(const Fd& socket) {
    char byte = 0;
    return ::recv(socket.get(), &byte, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET;
  }

  TestFolder folder_;
  NoticeListener listener_;
  const SteadyTime start_ = real_clock().steady();
};

TEST_F(Listener, HearsAMessageInOneTurnAndHangsUp) {
  const Fd guest = call("READY=1\n");
  const auto notices = listener_.receive(start_);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_TRUE(notices[0].ready);
  EXPECT_TRUE(closed(guest));
  EXPECT_EQ(listener_.deadline(), SteadyTime::max());
}

TEST_F(Listener, TakesSilenceForTheEndWhereNoHalfCloseComesThrough) {
  const Fd guest = call("READY=1\n", false);
  EXPECT_TRUE(listener_.receive(start_).empty());
  EXPECT_EQ(listener_.deadline(), start_ + NoticeListener::kQuiet);
  EXPECT_FALSE(closed(guest));
  EXPECT_EQ(listener_.receive(start_ + NoticeListener::kQuiet).size(), 1u);
  EXPECT_TRUE(closed(guest));
}

TEST_F(Listener, LetsNobodyStayWhoSaysNothingTooMuchOrAByteNowAndThen) {
  const Fd mute = call("", false);
  const Fd flood = call(std::string(kMaxNotice + 1, 'x') + "\nREADY=1\n");
  const Fd drip = call("R", false);
  SteadyTime now = start_;
  EXPECT_TRUE(listener_.receive(now).empty());
  EXPECT_TRUE(closed(flood));
  for (; now < start_ + NoticeListener::kMute; now += NoticeListener::kQuiet / 2) {
    say(drip, "R");
    EXPECT_TRUE(listener_.receive(now).empty());
  }
  for (const Notice& notice : listener_.receive(start_ + NoticeListener::kMute)) EXPECT_FALSE(notice.ready);
  EXPECT_TRUE(closed(mute));
  EXPECT_TRUE(closed(drip));
  EXPECT_EQ(listener_.deadline(), SteadyTime::max());
}

TEST_F(Listener, AnHonestCallerIsHeardAmongManySilentOnes) {
  std::vector<Fd> silent;
  for (std::size_t i = 0; i < NoticeListener::kMaxCallers; ++i) silent.push_back(call("", false));
  EXPECT_TRUE(listener_.receive(start_).empty());
  const Fd guest = call("READY=1\n");
  EXPECT_EQ(listener_.receive(start_).size(), 1u);
  EXPECT_TRUE(closed(silent.front()));
}

}  // namespace
}  // namespace vmcred::supervise
