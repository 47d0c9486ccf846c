// The host calls its guest over a hybrid vsock: the test is the VMM's socket and the agent behind it, and a crowd in
// the guest.
#include "supervise/guest_call.h"

#include <sys/socket.h>

#include "link/guest.h"
#include "matchers.h"
#include "supervise/link_pump.h"
#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

using std::chrono::milliseconds;
using testing::Succeeds;
using testing::TestFolder;

/// Dice that show 1, 2, 3, …
class Counting : public Randomness {
 public:
  void fill(WritableBytes out) override {
    ++count_;
    for (auto& byte : out) byte = count_;
  }

 private:
  std::uint8_t count_ = 0;
};

Fd connect_to(const std::string& path) {
  const sockaddr_un address = unix_address(path).value();
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return socket;
}

std::string heard(const Fd& socket) {
  char buffer[64 * 1024];
  const ssize_t n = ::recv(socket.get(), buffer, sizeof buffer, MSG_DONTWAIT);
  return n <= 0 ? std::string() : std::string(buffer, static_cast<std::size_t>(n));
}

bool is_closed(const Fd& socket) {
  char byte = 0;
  const ssize_t n = ::recv(socket.get(), &byte, 1, MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno == ECONNRESET);
}

void say(const Fd& socket, std::string_view text) {
  (void)::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

class Called : public ::testing::Test {
 protected:
  [[nodiscard]] Fd accept_call() const {
    return Fd(::accept4(vmm_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  }
  void turn(milliseconds later = milliseconds(GuestCall::kPause)) {
    now_ += later;
    EXPECT_THAT(pump_.receive(now_), Succeeds());
    EXPECT_THAT(pump_.send(), Succeeds());
  }
  void knock() { (void)connect_to(folder_ / "vsock_8889"); }

  TestFolder folder_;
  Counting dice_;
  Counting guest_dice_;
  SteadyTime now_ = SteadyTime(std::chrono::hours(1));
  Fd vmm_ = listen_on(folder_ / "vsock").value();
  LinkPump pump_ = LinkPump::listening(
      listen_on(folder_ / "vsock_8889").value(), folder_ / "vsock",
      link::HostSession({.vm = "v", .token = testing::secret(std::string(32, 'k')), .randomness = &dice_}));
  link::GuestSession guest_ = link::GuestSession(
      {.key = testing::secret(std::string(32, 'k')), .boot_id = {1}, .agent = true, .randomness = &guest_dice_});
};

TEST_F(Called, TheHostCallsUponAKnockAndTheGuestSpeaksFirst) {
  turn();
  EXPECT_FALSE(accept_call());  // nobody knocked
  knock();
  turn();
  const Fd line = accept_call();
  ASSERT_TRUE(line);
  EXPECT_EQ(heard(line), "CONNECT 889\n");
  say(line, "OK 1073741824\n");
  say(line, guest_.take_output().text());
  for (int i = 0; i < 3 && !pump_.session().open(); ++i) {
    turn();
    ASSERT_THAT(guest_.receive(bytes_of(heard(line))), Succeeds());
    while (guest_.has_output()) say(line, guest_.take_output().text());
    turn();
  }
  EXPECT_TRUE(pump_.session().open());
  // With somebody on the link no knock brings a call about.
  knock();
  turn();
  EXPECT_FALSE(accept_call());
  EXPECT_FALSE(pump_.flooded());
}

TEST_F(Called, NoCrowdAtThePortKeepsTheAgentOut) {
  std::vector<Fd> crowd;
  Fd line;
  const std::string noise(200, 'x');
  bool told = false;
  for (int round = 0; round < 100 && !pump_.session().open(); ++round) {
    for (int i = 0; i < 24; ++i) {
      if (Fd one = connect_to(folder_ / "vsock_8889")) crowd.push_back(std::move(one));
      if (!crowd.empty()) say(crowd.back(), noise);
    }
    turn();
    told = told || pump_.flooded();
    if (!told && round < 40) continue;
    if (!line) {
      line = accept_call();
      if (!line) continue;
      ASSERT_EQ(heard(line), "CONNECT 889\n");
      say(line, "OK 5\n");
      say(line, guest_.take_output().text());
      continue;
    }
    ASSERT_THAT(guest_.receive(bytes_of(heard(line))), Succeeds());
    while (guest_.has_output()) say(line, guest_.take_output().text());
  }
  EXPECT_TRUE(pump_.session().open());
  EXPECT_TRUE(told);
  EXPECT_FALSE(pump_.flooded());
}

TEST_F(Called, ARefusedCallIsMadeAgainAtTheNextKnockAndNotBefore) {
  knock();
  turn();
  (void)accept_call();  // and closed: nobody stands at the port
  turn();
  turn();
  EXPECT_FALSE(accept_call());
  knock();
  turn();
  EXPECT_TRUE(accept_call());
}

TEST_F(Called, CallsAreNotMadeFasterThanThePause) {
  knock();
  turn();
  EXPECT_TRUE(accept_call());
  knock();
  turn(milliseconds(1));
  EXPECT_FALSE(accept_call());
  EXPECT_EQ(pump_.deadline(), now_ - milliseconds(1) + GuestCall::kPause);
  turn();
  EXPECT_TRUE(accept_call());
}

TEST_F(Called, WhoeverAnswersWithAnythingElseIsHungUpOn) {
  for (const std::string& answer : {std::string("NO\n"), std::string(64, 'O'), std::string("\n")}) {
    knock();
    turn();
    const Fd line = accept_call();
    ASSERT_TRUE(line);
    EXPECT_EQ(heard(line), "CONNECT 889\n");
    say(line, answer);
    turn();
    EXPECT_TRUE(is_closed(line)) << answer;
  }
  // Nor is one waited for that says nothing.
  knock();
  turn();
  const Fd line = accept_call();
  ASSERT_TRUE(line);
  EXPECT_EQ(heard(line), "CONNECT 889\n");
  turn(GuestCall::kPatience);
  EXPECT_TRUE(is_closed(line));
}

}  // namespace
}  // namespace vmcred::supervise
