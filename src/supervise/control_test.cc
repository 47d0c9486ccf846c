#include "supervise/control.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <cstring>

#include "base/file.h"
#include "matchers.h"
#include "supervise/console.h"
#include "supervise/notify.h"
#include "supervise/runtime.h"
#include "supervise/unix_socket.h"

namespace vmcred::supervise {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

TEST(Control, AnswersWhoMayAsk) {
  const TestFolder folder;
  auto server = ControlServer::listen(folder / "control");
  ASSERT_THAT(server, Succeeds());
  struct stat status = {};
  ASSERT_EQ(::stat((folder / "control").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);

  auto client = ControlClient::connect(folder.path());
  ASSERT_THAT(client, Succeeds());
  EXPECT_THAT(client->ask(Json::object().set("do", "status"), milliseconds(0)),
              FailsWith(Errc::unavailable, HasSubstr("answer")));
  const auto requests = server->receive();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].json.string_at("do"), "status");
  server->answer(requests[0].client, status_json({.vm = "test-vm", .state = VmState::booting}));
  const auto answer = client->next(milliseconds(1000));
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(read_status(*answer).value().state, VmState::booting);
}

TEST(Control, CutsOffWhoTalksNonsense) {
  const TestFolder folder;
  auto server = ControlServer::listen(folder / "control");
  auto client = ControlClient::connect(folder.path());
  (void)client->ask(Json("status"), milliseconds(0));
  ASSERT_EQ(server->receive().size(), 1U);
  auto other = ControlClient::connect(folder.path());
  (void)other->ask(Json(std::string(kMaxControlLine, 'x')), milliseconds(0));
  EXPECT_TRUE(server->receive().empty());
  EXPECT_THAT(other->next(milliseconds(1000)), FailsWith(Errc::unavailable, HasSubstr("closed the connection")));
}

TEST(Control, KeepsOneOfManyPassedDescriptors) {
  const TestFolder folder;
  auto server = ControlServer::listen(folder / "control");
  const auto address = unix_address(folder / "control");
  const Fd client(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&*address), sizeof *address), 0);  // NOLINT
  auto passed = make_pipe();
  ASSERT_THAT(passed, Succeeds());
  const std::array<int, 2> both = {passed->second.get(), passed->second.get()};
  std::string line = "{}\n";
  iovec part = {.iov_base = line.data(), .iov_len = line.size()};
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof both)] = {};
  msghdr message = {};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  cmsghdr* const header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof both);
  std::memcpy(CMSG_DATA(header), both.data(), sizeof both);
  ASSERT_EQ(::sendmsg(client.get(), &message, MSG_NOSIGNAL), 3);
  {
    const auto requests = server->receive();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_TRUE(requests[0].passed);
  }
  passed->second = Fd();
  char none = 0;
  ASSERT_THAT(set_nonblocking(passed->first, true), Succeeds());
  EXPECT_EQ(::read(passed->first.get(), &none, 1), 0) << "a copy of the pipe's other end is still open";
}

TEST(Control, TellsNobodyThereFromAKilledSupervisor) {
  const TestFolder folder;
  EXPECT_THAT(ControlClient::connect(folder.path()), FailsWith(Errc::not_found, HasSubstr("control")));
  {
    auto server = ControlServer::listen(folder / "control");
  }
  EXPECT_THAT(ControlClient::connect(folder.path()), FailsWith(Errc::unavailable, HasSubstr("was killed")));
}

TEST(Control, SaysWhichPathIsTooLong) {
  EXPECT_THAT(ControlServer::listen("/tmp/" + std::string(120, 'x')), FailsWith(Errc::usage, HasSubstr("too long")));
}

TEST(StatusJson, ComesBackAsItWas) {
  const Status status = {.vm = "test-vm",
                         .state = VmState::running,
                         .detail = "d",
                         .proven = true,
                         .accel = "kvm",
                         .supervisor = 7,
                         .vmm = 8,
                         .generation = 3,
                         .expected_generation = 4,
                         .reboots = 1,
                         .started_unix = 100,
                         .ready_after_ms = 55,
                         .turned_away = 2,
                         .guest_systemd = "252.39",
                         .receipts = {{"API_KEY", "received", 44, {{"web.service", "active"}}}},
                         .notices = {"one was skipped"}};
  const auto back = read_status(status_json(status));
  ASSERT_THAT(back, Succeeds());
  EXPECT_EQ(dump_json(status_json(*back)), dump_json(status_json(status)));
}

TEST(RuntimeFolder, IsHeldByOneSupervisorAndLeavesNothing) {
  const TestFolder folder;
  const std::string path = folder / "vmcred/vm/test-vm";
  {
    const auto held = RuntimeFolder::hold(path, "test-vm");
    ASSERT_THAT(held, Succeeds());
    EXPECT_THAT(RuntimeFolder::hold(path, "test-vm"),
                FailsWith(Errc::unavailable, HasSubstr("'test-vm' runs already")));
    (void)folder.write("vmcred/vm/test-vm/control", "");
  }
  EXPECT_FALSE(exists(path));
}

TEST(RuntimeFolder, EmptiesWhatAKilledSupervisorLeft) {
  const TestFolder folder;
  (void)folder.write("vm/control", "stale");
  const auto held = RuntimeFolder::hold(folder / "vm", "x");
  ASSERT_THAT(held, Succeeds());
  EXPECT_TRUE(list_folder(folder / "vm").value().empty());
}

TEST(RuntimePath, FollowsTheEnvironment) {
  EXPECT_EQ(runtime_path({.unit = "/run/vmcred/vm/x:/run/other", .root = true}, "x").value(), "/run/vmcred/vm/x");
  EXPECT_EQ(runtime_path({.unit = "/run/other:/run/vmcred/vm/x", .root = true}, "x").value(), "/run/vmcred/vm/x");
  EXPECT_EQ(runtime_path({.unit = "/run/vmcred/vm/xx"}, "x").value(), "/run/vmcred/vm/xx");
  EXPECT_EQ(runtime_path({.user = "/run/user/1", .root = true}, "x").value(), "/run/vmcred/vm/x");
  EXPECT_EQ(runtime_path({.user = "/run/user/1"}, "x").value(), "/run/user/1/vmcred/vm/x");
  EXPECT_THAT(runtime_path({}, "x"), FailsWith(Errc::not_found, HasSubstr("'x'")));
  EXPECT_EQ(runtime_path({.user = "/run/user/1", .own = "/tmp/x/run", .root = true}, "x").value(), "/tmp/x/run/x");
}

TEST(RuntimeRoots, OnesOwnComesFirstAndAFolderThatIsNamedStandsAlone) {
  EXPECT_THAT(runtime_roots({.user = "/run/user/1", .root = true}),
              ElementsAre("/run/vmcred/vm", "/run/user/1/vmcred/vm"));
  EXPECT_THAT(runtime_roots({.user = "/run/user/1"}), ElementsAre("/run/user/1/vmcred/vm", "/run/vmcred/vm"));
  EXPECT_THAT(runtime_roots({.user = "/run/user/1", .own = "/tmp/x/run", .root = true}), ElementsAre("/tmp/x/run"));
}

TEST(RuntimeFolder, IsHeldAsLongAsItsSupervisorLivesWhateverIsLeftInIt) {
  const TestFolder folder;
  (void)folder.write("vm/control", "stale");
  EXPECT_FALSE(is_held(folder / "vm"));
  EXPECT_FALSE(is_held(folder / "none"));
  {
    const auto held = RuntimeFolder::hold(folder / "vm", "x");
    ASSERT_THAT(held, Succeeds());
    EXPECT_TRUE(is_held(folder / "vm"));
  }
  EXPECT_FALSE(is_held(folder / "vm"));
}

TEST(ConsoleLog, KeepsTheEndInBoundedSpace) {
  const TestFolder folder;
  auto log = ConsoleLog::open(folder / "console.log", 10);
  ASSERT_THAT(log, Succeeds());
  for (const auto* const text : {"first---", "second--", "third---"}) ASSERT_THAT(log->write(text), Succeeds());
  EXPECT_EQ(read_file(folder / "console.log", 100).value(), "third---");
  EXPECT_EQ(read_file(folder / "console.log.1", 100).value(), "second--");
}

TEST(Notifier, IsQuietWithoutASocketAndClearAboutABadOne) {
  EXPECT_THAT(Notifier().send("READY=1"), Succeeds());
  EXPECT_THAT(Notifier("vsock:2:1").send("READY=1"), FailsWith(Errc::unavailable, HasSubstr("vsock:2:1")));
}

}  // namespace
}  // namespace vmcred::supervise
