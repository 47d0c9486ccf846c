// The supervisor and its guests over the unix socket of a hybrid vsock: good ones, hostile ones, and processes in the guest
// that have no business there. The VMM is tests/e2e/fake_vmm; a thread connects as a VMM would for its guest.
#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <thread>

#include "base/file.h"
#include "link/guest.h"
#include "link/wire.h"
#include "matchers.h"
#include "supervise/control.h"
#include "supervise/link_pump.h"
#include "supervise/refresh.h"
#include "supervise/supervisor.h"
#include "supervise/unix_socket.h"
#include "supervise/vmm_process.h"

namespace vmcred::supervise {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

constexpr milliseconds kPatience{30'000};

/// Dice that show 1, 2, 3, …, so that the test knows the token of the first life: 32 ones.
class Counting : public Randomness {
 public:
  void fill(WritableBytes out) override {
    const std::uint8_t value = ++count_;
    for (auto& byte : out) byte = value;
  }

 private:
  std::atomic<std::uint8_t> count_ = 0;
};

Fd connect_to(const std::string& path) {
  const sockaddr_un address = unix_address(path).value();
  Fd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  return socket;
}

void say(const Fd& socket, std::string_view text) {
  (void)::send(socket.get(), text.data(), text.size(), MSG_NOSIGNAL);  // a supervisor that hung up is what some tests want
}

/// Whether the other side closes within the time.
bool is_closed(const Fd& socket) {
  char byte = 0;
  pollfd wait = {.fd = socket.get(), .events = POLLIN, .revents = 0};
  while (::poll(&wait, 1, static_cast<int>(kPatience.count())) > 0) {
    if (::recv(socket.get(), &byte, 1, 0) <= 0) return true;
  }
  return false;
}

/// One contact of a guest that behaves, until it is told to do otherwise.
class Guest {
 public:
  Guest(const std::string& path, std::string_view key, bool agent, Randomness& dice, std::uint64_t generation = 0)
      : socket_(connect_to(path)),
        session_({.key = testing::secret(key), .boot_id = {1}, .agent = agent, .generation = generation, .randomness = &dice}) {}

  void write() {
    while (session_.has_output()) say(socket_, session_.take_output().text());
  }
  /// The next event; empty when the connection ended.
  std::optional<link::GuestEvent> next() {
    std::uint8_t buffer[16 * 1024];
    for (;;) {
      if (auto event = session_.take_event()) return event;
      write();
      const ssize_t n = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      if (n <= 0 || !session_.receive({buffer, static_cast<std::size_t>(n)})) return std::nullopt;
    }
  }
  template <class E>
  std::optional<E> await() {
    while (auto event = next()) {
      if (auto* wanted = std::get_if<E>(&*event)) return std::move(*wanted);
    }
    return std::nullopt;
  }
  void report(const std::string& value, std::uint64_t generation = 1) {
    link::Report report = {.generation = generation, .systemd_version = "252.39"};
    report.copies = {{.guest = "API_KEY", .size = value.size(),
                      .hash = link::credential_hash(session_.receipt_key(), "API_KEY", bytes_of(value))}};
    report.consumers = {{"API_KEY", "key", "web.service", "active"}};
    EXPECT_THAT(session_.report(report), Succeeds());
    write();
  }
  [[nodiscard]] link::GuestSession& session() { return session_; }
  [[nodiscard]] const Fd& socket() const { return socket_; }

 private:
  Fd socket_;
  link::GuestSession session_;
};

class HybridVsock : public ::testing::Test, public Observer {
 protected:
  HybridVsock() {
    vm_.name = "test-vm";
    vm_.credentials = {{.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "f"}}};
  }
  Wish on_event(const Event& event) override {
    if (event.kind == Event::Kind::warning) warnings_ += event.detail + "\n";
    if (event.kind == Event::Kind::guest_running && guest_) thread_ = std::jthread(guest_);
    if (event.kind == Event::Kind::receipt) ++receipts_;
    return Wish::go_on;
  }
  /// Runs a vm whose guest side is `guest`, until somebody stops it.
  Outcome run(std::function<void()> guest, bool by_reference = false, milliseconds receipt_limit = kPatience) {
    guest_ = std::move(guest);
    Secrets secrets;
    secrets.emplace("host-api-key", testing::secret("hunter2"));
    Mission mission = {.vm = vm_,
                       .launch = {.argv = {VMCRED_FAKE_VMM, "-fake", "record=" + folder_ / "."},
                                  .link = vmm::LinkKind::vsock,
                                  .link_path = folder_ / "vsock"},
                       .secrets = std::move(secrets),
                       .by_reference = by_reference,
                       .expect_receipt = true,
                       .receipt_limit = receipt_limit,
                       .fresh_report_limit = fresh_report_limit_,
                       .stop = {.agent = milliseconds(50), .power = milliseconds(1000), .quit = milliseconds(1000)},
                       .folder = folder_.path(),
                       .observer = this,
                       .randomness = &dice_};
    auto outcome = supervise(std::move(mission));
    if (thread_.joinable()) thread_.join();
    EXPECT_THAT(outcome, Succeeds());
    return outcome ? *std::move(outcome) : Outcome{};
  }
  [[nodiscard]] std::string path() const { return folder_ / fmt::format("vsock_{}", kLinkPort); }
  Json ask(const char* what) {
    auto client = ControlClient::connect(folder_.path());
    EXPECT_THAT(client, Succeeds());
    auto answer = client->ask(Json::object().set("do", what), kPatience);
    EXPECT_THAT(answer, Succeeds());
    return answer ? *std::move(answer) : Json::object();
  }
  /// Begins a refresh to `value`; the answer comes later.
  ControlClient begin_refresh(std::string_view value) {
    Secrets values;
    values.emplace("host-api-key", testing::secret(value));
    const Fd file = pack_values(values).value();
    auto client = ControlClient::connect(folder_.path());
    EXPECT_THAT(client, Succeeds());
    EXPECT_THAT(client->send(Json::object().set("do", "refresh"), &file), Succeeds());
    return *std::move(client);
  }

  const std::string token_ = std::string(32, '\1');
  TestFolder folder_;
  declare::Vm vm_;
  Counting dice_;
  Counting guest_dice_;
  std::function<void()> guest_ = {};
  std::jthread thread_ = {};
  std::string warnings_ = {};
  int receipts_ = 0;
  milliseconds fresh_report_limit_ = kPatience;
};

TEST_F(HybridVsock, AReceiptMakesTheVmReadyAndTheStatusSaysWhoRunsWithIt) {
  Json status = Json::object();
  const Outcome outcome = run([&] {
    Guest guest(path(), token_, false, guest_dice_);
    EXPECT_TRUE(guest.await<link::Welcomed>());
    guest.report("hunter2");
    EXPECT_TRUE(guest.await<link::Confirmed>()->complete);
    status = ask("status");
    ask("stop");
  });
  EXPECT_TRUE(outcome.ready) << outcome.failure;
  EXPECT_EQ(status.string_at("guest_systemd"), "252.39");
  const auto read = read_status(status);
  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(read->receipts.at(0).services, (std::vector<ServiceLine>{{"web.service", "active"}}));
}

TEST_F(HybridVsock, ValuesComeByReferenceAndTheTokenIsSpentThen) {
  const Outcome outcome = run([&] {
    std::string session;
    {
      Guest agent(path(), token_, true, guest_dice_);
      session = std::string(agent.await<link::NewSecret>()->secret.text());
      EXPECT_EQ(agent.await<link::Received>()->set.values.at("API_KEY").text(), "hunter2");
      agent.report("hunter2");
      EXPECT_TRUE(agent.await<link::Confirmed>()->complete);
    }
    Guest thief(path(), token_, true, guest_dice_);
    EXPECT_EQ(thief.await<link::Refused>()->reason, "the token is spent");
    Guest resumed(path(), session, true, guest_dice_, 1);
    EXPECT_FALSE(resumed.await<link::Welcomed>()->set_follows);
    ask("stop");
  }, true);
  EXPECT_TRUE(outcome.ready) << outcome.failure;
  EXPECT_EQ(outcome.status.turned_away, 1u);
  EXPECT_THAT(warnings_, HasSubstr("turned a speaker away: the token is spent"));
}

TEST_F(HybridVsock, ProcessesWithoutAKeyNeitherBlockNorBreakTheLink) {
  const Outcome outcome = run([&] {
    std::vector<Fd> silent;
    for (std::size_t i = 0; i < 3 * kMaxCallers; ++i) silent.push_back(connect_to(path()));
    Guest agent(path(), token_, true, guest_dice_);
    EXPECT_TRUE(agent.await<link::Welcomed>());
    for (int i = 0; i < 5; ++i) {
      Guest stranger(path(), std::string(32, 's'), true, guest_dice_);
      EXPECT_TRUE(stranger.await<link::Refused>());
    }
    const Fd flood = connect_to(path());
    say(flood, std::string(100'000, '\x89'));
    EXPECT_TRUE(is_closed(flood));
    EXPECT_TRUE(is_closed(silent.front()));
    agent.report("hunter2");  // on the stream that it had all the time
    EXPECT_TRUE(agent.await<link::Confirmed>()->complete);
    ask("stop");
  });
  EXPECT_TRUE(outcome.ready) << outcome.failure;
  EXPECT_EQ(outcome.status.turned_away, 5u);
}

TEST_F(HybridVsock, AHostileGuestWithTheTokenEndsOnlyItsOwnStream) {
  const Outcome outcome = run([&] {
    const auto opened = [&] {
      Guest guest(path(), token_, true, guest_dice_);
      EXPECT_TRUE(guest.await<link::Welcomed>());
      return guest;
    };
    opened();                                                           // closes early
    say(opened().socket(), std::string("\x07\0\xff\xff\0\0\0\0", 8));    // a frame larger than any
    say(opened().socket(), std::string("\x02\0\x10", 3));               // half a frame
    say(opened().socket(), std::string(2'000'000, 'x'));
    Guest flood = opened();
    for (int i = 0; i < 50; ++i) flood.report("hunter2");  // one is due
    EXPECT_EQ(ask("status").string_at("vm"), "test-vm");  // it is served all the while
    ask("stop");
  });
  EXPECT_TRUE(outcome.ready) << outcome.failure;  // what it holds is right, and that is all that it can reach
  EXPECT_EQ(outcome.status.receipts.size(), 1u);
  EXPECT_THAT(warnings_, HasSubstr("the guest broke the link's protocol"));
}

TEST_F(HybridVsock, AGuestThatNeverReportsFailsTheStart) {
  const Outcome outcome = run([&] {
    Guest guest(path(), token_, false, guest_dice_);
    EXPECT_TRUE(guest.await<link::Welcomed>());
    EXPECT_TRUE(is_closed(guest.socket()));
  }, false, milliseconds(300));
  EXPECT_FALSE(outcome.ready);
  EXPECT_THAT(outcome.failure, HasSubstr("no receipt came"));
}

TEST_F(HybridVsock, AnIncompleteReceiptFailsTheStartAndNamesWhatIsWrong) {
  const Outcome outcome = run([&] {
    Guest guest(path(), token_, false, guest_dice_);
    EXPECT_TRUE(guest.await<link::Welcomed>());
    guest.report("hunt");
    EXPECT_TRUE(is_closed(guest.socket()));
  });
  EXPECT_FALSE(outcome.ready);
  EXPECT_THAT(outcome.failure, HasSubstr("'API_KEY' truncated"));
}

TEST_F(HybridVsock, ARefreshRunsAloneAndItsEndIsToldToWhoAsked) {
  const Outcome outcome = run([&] {
    Guest agent(path(), token_, true, guest_dice_);
    EXPECT_TRUE(agent.await<link::Welcomed>());
    agent.report("hunter2");
    EXPECT_TRUE(agent.await<link::Confirmed>());
    ControlClient first = begin_refresh("hunter3");
    EXPECT_EQ(agent.await<link::Received>()->set.values.at("API_KEY").text(), "hunter3");
    ControlClient second = begin_refresh("hunter4");
    EXPECT_THAT(second.next(kPatience)->string_at("error"), HasSubstr("being refreshed already"));
    agent.report("hunter3", 2);
    EXPECT_TRUE(agent.await<link::Confirmed>()->complete);
    EXPECT_THAT(agent.session().refreshed(true, 2, ""), Succeeds());
    agent.write();
    const auto end = first.next(kPatience);
    ASSERT_THAT(end, Succeeds());
    EXPECT_TRUE(*end->find("refreshed")->if_bool());

    {
      const ControlClient killed = begin_refresh("hunter4");  // its command is killed at once
    }
    EXPECT_TRUE(agent.await<link::Received>());
    agent.report("hunter4", 3);
    EXPECT_TRUE(agent.await<link::Confirmed>()->complete);
    EXPECT_THAT(agent.session().refreshed(true, 3, ""), Succeeds());
    agent.write();
    std::jthread answering([&] {
      while (agent.await<link::ReportWanted>()) agent.report("hunter4", 3);
    });
    Json status = ask("status");
    while (*status.find("expected_generation")->if_integer() != 3) status = ask("status");
    EXPECT_EQ(*status.find("generation")->if_integer(), 3);
    ask("stop");
  });
  EXPECT_TRUE(outcome.ready) << outcome.failure;
  EXPECT_EQ(receipts_, 3);
}

TEST_F(HybridVsock, AStatusDoesNotWaitForAnAgentThatIsSilent) {
  fresh_report_limit_ = milliseconds(20);
  run([&] {
    Guest agent(path(), token_, true, guest_dice_);
    EXPECT_TRUE(agent.await<link::Welcomed>());
    agent.report("hunter2");
    EXPECT_TRUE(agent.await<link::Confirmed>());
    EXPECT_EQ(ask("status").string_at("proof"), "proven");
    ask("stop");
  });
}

}  // namespace
}  // namespace vmcred::supervise
