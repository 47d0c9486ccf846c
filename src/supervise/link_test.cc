// The supervisor and its guests over the unix socket of a hybrid vsock: good ones, hostile ones, and processes in the
// guest that have no business there. The VMM is tests/e2e/fake_vmm; a thread connects as a VMM would for its guest.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
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
  (void)::send(socket.get(), text.data(), text.size(),
               MSG_NOSIGNAL);  // a supervisor that hung up is what some tests want
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
        session_({.key = testing::secret(key),
                  .boot_id = {1},
                  .agent = agent,
                  .generation = generation,
                  .randomness = &dice}) {}

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
    report.copies = {{.guest = "API_KEY",
                      .size = value.size(),
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
    vm_.credentials = {
        {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "f"}}};
  }
  Wish on_event(const Event& event) override {
    if (event.kind == Event::Kind::warning) warnings_ += event.detail + "\n";
    if (event.kind == Event::Kind::guest_running && guest_) thread_ = std::jthread(guest_);
    if (event.kind == Event::Kind::receipt) ++receipts_;
    if (event.kind == Event::Kind::systemd) said_ += event.detail + "\n";
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
                                  .link_path = folder_ / "vsock",
                                  .notify_socket = notify_socket_,
                                  .helpers = helpers_},
                       .secrets = std::move(secrets),
                       .by_reference = by_reference,
                       .expect_receipt = expect_receipt_,
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
  bool expect_receipt_ = true;
  std::string notify_socket_ = {};
  std::vector<vmm::Helper> helpers_ = {};
  std::string said_ = {};  ///< by systemd in the guest
};

/// systemd in the guest speaks over the same vsock.
class GuestsWord : public HybridVsock {
 protected:
  GuestsWord() { notify_socket_ = "vsock-stream:2:8890"; }
  /// One message, as sd_notify(3) sends it: it waits until the other side has closed.
  void notify(std::string_view text) {
    const Fd socket = connect_to(folder_ / fmt::format("vsock_{}", credential::kNotifyPort));
    say(socket, text);
    EXPECT_EQ(::shutdown(socket.get(), SHUT_WR), 0);
    EXPECT_TRUE(is_closed(socket));
  }
};

TEST_F(GuestsWord, MakesTheVmReadyWhereNoReceiptIsAskedFor) {
  expect_receipt_ = false;
  Json before = Json::object();
  Json after = Json::object();
  const Outcome outcome = run([&] {
    notify("X_SYSTEMD_HOSTNAME=web\nX_SYSTEMD_UNIT_ACTIVE=basic.target");
    before = ask("status");
    notify("READY=1\nSTATUS=Startup finished in 2s.");
    after = ask("status");
    notify("X_SYSTEMD_SHUTDOWN=poweroff\nEXIT_STATUS=3");
    ask("stop");
  });
  EXPECT_TRUE(outcome.ready) << outcome.failure;
  EXPECT_EQ(before.string_at("state"), "booting");
  EXPECT_EQ(after.string_at("state"), "running");
  EXPECT_EQ(after.string_at("proof"), "unproven");
  const auto read = read_status(after);
  ASSERT_THAT(read, Succeeds());
  EXPECT_EQ(
      read->systemd,
      (SystemdWord{.ready = true, .unit = "basic.target", .status = "Startup finished in 2s.", .hostname = "web"}));
  EXPECT_EQ(outcome.status.systemd.exit_status, 3);
  EXPECT_EQ(said_, "reached basic.target\nready; Startup finished in 2s.\nshuts down: poweroff; exit status 3\n");
}

TEST_F(GuestsWord, ThatNeverComesFailsTheStart) {
  expect_receipt_ = false;
  const Outcome outcome = run([&] { notify("STATUS=still booting"); }, false, milliseconds(300));
  EXPECT_FALSE(outcome.ready);
  EXPECT_THAT(outcome.failure, HasSubstr("did not say within 1 s that it is ready"));
}

TEST_F(GuestsWord, ProvesNothingWhereAReceiptIsAskedFor) {
  const Outcome outcome = run([&] {
    for (int i = 0; i < 200; ++i) notify("READY=1");
    EXPECT_EQ(ask("status").string_at("state"), "booting");
    Guest guest(path(), token_, false, guest_dice_);
    EXPECT_TRUE(guest.await<link::Welcomed>());
    link::Report report = {.generation = 1, .systemd_version = "257"};
    for (const auto& [name, value] :
         {std::pair("API_KEY", "hunter2"), std::pair("vmm.notify_socket", "vsock-stream:2:8890")}) {
      report.copies.push_back({.guest = name,
                               .size = std::string_view(value).size(),
                               .hash = link::credential_hash(guest.session().receipt_key(), name, bytes_of(value))});
    }
    EXPECT_THAT(guest.session().report(report), Succeeds());
    guest.write();
    EXPECT_TRUE(guest.await<link::Confirmed>()->complete);
    ask("stop");
  });
  EXPECT_TRUE(outcome.ready) << outcome.failure;
  EXPECT_EQ(outcome.status.receipts.size(), 2u);   // the address is a credential like the others
  EXPECT_EQ(std::ranges::count(said_, '\n'), 60);  // it cannot fill the log
  EXPECT_THAT(said_, HasSubstr("what else it says of this boot is not told\n"));
}

TEST_F(GuestsWord, IsNotWaitedForWhereTheDevicesServerDoesNotStart) {
  helpers_ = {{.argv = {"/bin/sh", "-c", "exit 3"}, .socket = folder_ / "none"}};
  Mission mission = {
      .vm = vm_, .launch = {.argv = {VMCRED_FAKE_VMM}, .helpers = helpers_}, .secrets = {}, .folder = folder_.path()};
  const auto outcome = supervise(std::move(mission));
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "start '/bin/sh': it ended with exit code 3");
}

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
  const Outcome outcome = run(
      [&] {
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
      },
      true);
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
    opened();                                                          // closes early
    say(opened().socket(), std::string("\x07\0\xff\xff\0\0\0\0", 8));  // a frame larger than any
    say(opened().socket(), std::string("\x02\0\x10", 3));              // half a frame
    say(opened().socket(), std::string(2'000'000, 'x'));
    Guest flood = opened();
    for (int i = 0; i < 50; ++i) flood.report("hunter2");  // one is due
    EXPECT_EQ(ask("status").string_at("vm"), "test-vm");   // it is served all the while
    ask("stop");
  });
  EXPECT_TRUE(outcome.ready) << outcome.failure;  // what it holds is right, and that is all that it can reach
  EXPECT_EQ(outcome.status.receipts.size(), 1u);
  EXPECT_THAT(warnings_, HasSubstr("the guest broke the link's protocol"));
}

TEST_F(HybridVsock, AGuestThatNeverReportsFailsTheStart) {
  const Outcome outcome = run(
      [&] {
        Guest guest(path(), token_, false, guest_dice_);
        EXPECT_TRUE(guest.await<link::Welcomed>());
        EXPECT_TRUE(is_closed(guest.socket()));
      },
      false, milliseconds(300));
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
