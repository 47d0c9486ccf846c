// The supervisor against tests/e2e/fake_vmm: a real process, real sockets and memory files, no guest.
#include "supervise/supervisor.h"

#include <sys/socket.h>
#include <sys/un.h>

#include "base/file.h"
#include "matchers.h"
#include "supervise/control.h"
#include "supervise/rest.h"
#include "supervise/run.h"

namespace vmcred::supervise {
namespace {

using std::chrono::milliseconds;
using testing::FailsWith;
using testing::HasSubstr;
using testing::Succeeds;
using testing::TestFolder;

/// Remembers what happened and stops the vm when asked to.
class Recorder final : public Observer {
 public:
  Wish on_event(const Event& event) override {
    kinds.push_back(event.kind);
    if (event.kind == Event::Kind::vmm_started) vmm = event.status.vmm;
    if (event.kind == Event::Kind::vmm_said) words.push_back(event.detail);
    if (event.kind == Event::Kind::guest_ended) ends.push_back(event.detail);
    if (event.kind == Event::Kind::warning) warnings.push_back(event.detail);
    if (on) on(event);
    return stop_at && event.kind == *stop_at ? Wish::stop : Wish::go_on;
  }
  Wish on_console(std::string_view bytes) override {
    console += bytes;
    return Wish::go_on;
  }
  [[nodiscard]] bool saw(Event::Kind kind) const { return std::ranges::find(kinds, kind) != kinds.end(); }

  std::optional<Event::Kind> stop_at = {};
  std::function<void(const Event&)> on = {};
  std::vector<Event::Kind> kinds = {};
  std::vector<std::string> warnings = {};
  std::vector<std::string> words = {};
  std::vector<std::string> ends = {};
  std::string console = {};
  pid_t vmm = 0;
};

class Supervise : public ::testing::Test {
 protected:
  Supervise() {
    vm_.name = "test-vm";
    vm_.credentials = {
        {.name = "api-key", .host = "host-api-key", .guest = "API_KEY", .from = declare::VarRef{"g", "f"}}};
  }

  /// A launch of the fake that receives one value in a memory file.
  [[nodiscard]] Mission mission(const std::string& words) {
    Secrets secrets;
    secrets.emplace("host-api-key", testing::secret("canary-value"));
    vmm::Launch launch = {.argv = {VMCRED_FAKE_VMM, "-fw_cfg", "name=opt/x,file=/proc/self/fd/10", "-fake",
                                   "record=" + record_ + "," + words},
                          .blobs = {vmm::ValueBlob{{.guest = "API_KEY", .host = "host-api-key", .size = 12}}}};
    return {.vm = vm_,
            .launch = std::move(launch),
            .secrets = std::move(secrets),
            .start_limit = milliseconds(5000),
            .stop = {.agent = milliseconds(100),
                     .power = milliseconds(100),
                     .quit = milliseconds(100),
                     .terminate = milliseconds(100)},
            .folder = folder_.path(),
            .observer = &recorder_};
  }
  [[nodiscard]] std::string recorded(const std::string& name) const {
    return read_file(join_path(record_, name), 1'000'000).value_or("(nothing)");
  }

  TestFolder folder_;
  std::string record_ = folder_.write("record/x", "").substr(0, folder_.path().size() + 7);
  declare::Vm vm_;
  Recorder recorder_;
};

TEST_F(Supervise, HandsTheValueOverAndWipesItBeforeTheGuestRuns) {
  const auto outcome = supervise(mission("end=guest-shutdown"));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_TRUE(outcome->good());
  EXPECT_EQ(recorded("blob0.before"), "canary-value");
  EXPECT_EQ(recorded("blob0.before.mode"), "600\n");
  EXPECT_EQ(recorded("blob0.after"), "");
}

TEST_F(Supervise, GivesTheVmmNothingButWhatTheLaunchNames) {
  ::setenv("VMCRED_CANARY", "canary-environment", 1);
  ASSERT_THAT(supervise(mission("end=guest-shutdown")), Succeeds());
  ::unsetenv("VMCRED_CANARY");
  EXPECT_THAT(recorded("environ"), ::testing::Not(HasSubstr("canary")));
  EXPECT_THAT(recorded("argv"), ::testing::Not(HasSubstr("canary")));
  std::vector<std::string> numbers;
  std::stringstream lines(recorded("descriptors"));
  for (std::string number, target; std::getline(lines >> number, target);) numbers.push_back(number);
  EXPECT_THAT(numbers, ::testing::UnorderedElementsAre("0", "1", "2", "3", "10"));
}

TEST_F(Supervise, TellsTheStoryInOrder) {
  using Kind = Event::Kind;
  ASSERT_THAT(supervise(mission("end=guest-shutdown")), Succeeds());
  EXPECT_THAT(recorder_.kinds, ::testing::ElementsAre(Kind::vmm_started, Kind::channel_wiped, Kind::guest_running,
                                                      Kind::ready, Kind::guest_ended, Kind::vmm_exited));
}

TEST_F(Supervise, PassesTheConsoleOnAndKeepsIt) {
  ASSERT_THAT(supervise(mission("console=hello,end=guest-shutdown")), Succeeds());
  EXPECT_EQ(recorder_.console, "hello");
  EXPECT_EQ(read_file(folder_ / "console.log", 100).value(), "hello");
}

TEST_F(Supervise, TellsWhatTheVmmSaysLineByLine) {
  ASSERT_THAT(supervise(mission("complain=no such\ndevice,end=guest-shutdown")), Succeeds());
  EXPECT_THAT(recorder_.words, ::testing::ElementsAre("no such", "device"));
  (void)::unlink((folder_ / "control").c_str());
  recorder_ = {};
  const auto outcome = supervise(mission("complain=" + std::string(5000, 'x') + ",die=3"));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_THAT(recorder_.words, ::testing::ElementsAre(std::string(4096, 'x'), std::string(904, 'x')));
}

TEST_F(Supervise, AVmmThatDiesAtOnceIsAFailure) {
  const auto outcome = supervise(mission("die=3"));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_FALSE(outcome->good());
  EXPECT_EQ(outcome->vmm.code, 3);
  EXPECT_THAT(outcome->failure, HasSubstr("ended by itself with exit code 3"));
}

TEST_F(Supervise, AProgramThatIsNotThereIsNamed) {
  Mission wanted = mission("");
  wanted.launch.argv = {"/nowhere/vmm"};
  EXPECT_THAT(supervise(std::move(wanted)), FailsWith(Errc::not_found, HasSubstr("start the VMM: run '/nowhere/vmm'")));
}

TEST_F(Supervise, AVmmThatNeverAnswersIsEnded) {
  Mission wanted = mission("silent");
  wanted.start_limit = milliseconds(50);
  const auto outcome = supervise(std::move(wanted));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_THAT(outcome->failure, HasSubstr("did not start within"));
  EXPECT_FALSE(recorder_.saw(Event::Kind::channel_wiped));
}

TEST_F(Supervise, AVmmThatCrashesIsAFailureAlsoAfterReady) {
  const auto outcome = supervise(mission("crash"));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_FALSE(outcome->good());
  EXPECT_NE(outcome->vmm.signal, 0);
}

TEST_F(Supervise, AStopPressesThePowerKey) {
  recorder_.stop_at = Event::Kind::ready;
  const auto outcome = supervise(mission(""));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_TRUE(outcome->good());
  EXPECT_EQ(outcome->end, GuestEnd::powered_off);
}

TEST_F(Supervise, AStopGoesOnToQuitTerminateAndKill) {
  for (const auto* const words : {"deaf", "deaf,no-quit", "deaf,no-quit,no-term"}) {
    (void)::unlink((folder_ / "control").c_str());  // a runtime folder is emptied before it is used again
    recorder_ = {};
    recorder_.stop_at = Event::Kind::ready;
    const auto outcome = supervise(mission(words));
    ASSERT_THAT(outcome, Succeeds()) << words;
    EXPECT_FALSE(outcome->good()) << words;
    EXPECT_TRUE(outcome->stop_asked) << words;
  }
}

TEST_F(Supervise, SigtermStopsTheGuest) {
  recorder_.on = [](const Event& event) {
    if (event.kind == Event::Kind::ready) ::kill(::getpid(), SIGTERM);
  };
  const auto outcome = supervise(mission(""));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_TRUE(outcome->good());
}

TEST_F(Supervise, AMissingReceiptFailsTheStart) {
  Mission wanted = mission("");
  wanted.expect_receipt = true;
  wanted.receipt_limit = milliseconds(50);
  const auto outcome = supervise(std::move(wanted));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_FALSE(outcome->ready);
  EXPECT_THAT(outcome->failure, HasSubstr("no receipt came"));
}

TEST_F(Supervise, ARebootIsANewVmmAndALoopOfThemIsEnded) {
  const auto outcome = supervise(mission("end=guest-reset"));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_FALSE(outcome->good());
  EXPECT_THAT(outcome->failure, HasSubstr("rebooted 6 times"));
  EXPECT_EQ(std::ranges::count(recorder_.kinds, Event::Kind::vmm_started), 6);
}

TEST_F(Supervise, APanicIsAFailure) {
  const auto outcome = supervise(mission("end=guest-panic"));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_THAT(outcome->failure, HasSubstr("panicked"));
}

TEST_F(Supervise, TellsSystemdWhenItIsReadyAndWhenItStops) {
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  const std::string path = folder_ / "notify";
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  recorder_.stop_at = Event::Kind::ready;
  Mission wanted = mission("");
  wanted.notifier = Notifier(path);
  ASSERT_THAT(supervise(std::move(wanted)), Succeeds());
  std::string all;
  char buffer[1024];
  for (ssize_t n = 0; (n = ::recv(socket.get(), buffer, sizeof buffer, 0)) > 0;)
    all += std::string(buffer, static_cast<std::size_t>(n)) + "|";
  EXPECT_THAT(all, HasSubstr("|READY=1|"));
  EXPECT_LT(all.find("READY=1"), all.find("STOPPING=1"));
  EXPECT_THAT(all, HasSubstr("STATUS=the guest powered off"));
}

TEST_F(Supervise, AnswersItsControlSocketWhileItRuns) {
  std::optional<ControlClient> client;
  recorder_.on = [&](const Event& event) {
    if (event.kind != Event::Kind::ready) return;
    client = ControlClient::connect(folder_.path()).value();
    (void)client->ask(Json::object().set("do", "stop"), milliseconds(0));  // answered at the end
  };
  ASSERT_THAT(supervise(mission("")), Succeeds());
  const auto answer = client->next(milliseconds(1000));
  ASSERT_THAT(answer, Succeeds());
  EXPECT_EQ(answer->string_at("state"), "stopped");
}

TEST_F(Supervise, HandsValuesToARestApiAndToNothingElse) {
  credential::OemEntry entry = {.guest = "API_KEY", .host = "host-api-key", .size = 12};
  Mission wanted = mission("end=guest-shutdown");
  wanted.launch = {
      .argv = {VMCRED_FAKE_VMM, "--api-socket", "fd=3", "-fake", "record=" + record_ + ",end=guest-shutdown"},
      .control = vmm::Control::rest_fd,
      .exit_tells = vmm::ExitTells::powered_off,
      .requests = {{.method = "PUT", .path = "/api/v1/vm.create", .body = {"{\"platform\":[\"", entry, "\"]}"}},
                   {.method = "PUT", .path = "/api/v1/vm.boot"}}};
  const auto outcome = supervise(std::move(wanted));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_TRUE(outcome->good()) << outcome->failure;
  EXPECT_EQ(recorded("request0"),
            "PUT /api/v1/vm.create HTTP/1.1\n"
            "{\"platform\":[\"io.systemd.credential.binary:API_KEY=Y2FuYXJ5LXZhbHVl\"]}");
  EXPECT_EQ(recorded("request1"), "PUT /api/v1/vm.boot HTTP/1.1\n");
  EXPECT_THAT(recorded("argv") + recorded("environ"), ::testing::Not(HasSubstr("canary")));
}

TEST_F(Supervise, ARestApiStopsByItsPowerKey) {
  recorder_.stop_at = Event::Kind::ready;
  Mission wanted = mission("");
  wanted.launch = {.argv = {VMCRED_FAKE_VMM, "--api-socket", "fd=3", "-fake", "record=" + record_},
                   .control = vmm::Control::rest_fd,
                   .exit_tells = vmm::ExitTells::powered_off,
                   .requests = {{.method = "PUT", .path = "/api/v1/vm.boot"}},
                   .power_request = vmm::Request{.method = "PUT", .path = "/api/v1/vm.power-button"}};
  const auto outcome = supervise(std::move(wanted));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_TRUE(outcome->good()) << outcome->failure;
}

TEST_F(Supervise, ARefusalOfARestApiIsNamedWithoutItsText) {
  Mission wanted = mission("");
  wanted.launch = {.argv = {VMCRED_FAKE_VMM, "--api-socket", "fd=3", "-fake", "refuse=400"},
                   .control = vmm::Control::rest_fd,
                   .requests = {{.method = "PUT", .path = "/api/v1/vm.create"}}};
  EXPECT_THAT(supervise(std::move(wanted)),
              FailsWith(Errc::io, HasSubstr("refused 'PUT /api/v1/vm.create' with status 400")));
}

TEST_F(Supervise, AVmmWhoseEndMeansAResetIsStartedAgain) {
  Mission wanted = mission("");
  wanted.launch = {.argv = {VMCRED_FAKE_VMM, "--api-socket", "fd=3", "-fake", "end=guest-shutdown"},
                   .control = vmm::Control::rest_fd,
                   .exit_tells = vmm::ExitTells::reset,
                   .requests = {{.method = "PUT", .path = "/api/v1/vm.boot"}}};
  const auto outcome = supervise(std::move(wanted));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_THAT(outcome->failure, HasSubstr("rebooted 6 times"));
  EXPECT_THAT(recorder_.ends, ::testing::Each("the guest was reset, cause unknown"));
}

TEST_F(Supervise, AVmmThatTellsNothingIsReadyWhenItHasLivedForATime) {
  Mission wanted = mission("");
  wanted.launch = {
      .argv = {"/bin/sleep", "1000"}, .control = vmm::Control::none, .exit_tells = vmm::ExitTells::powered_off};
  wanted.settle_time = milliseconds(100);
  recorder_.stop_at = Event::Kind::ready;
  const auto outcome = supervise(std::move(wanted));
  ASSERT_THAT(outcome, Succeeds());
  EXPECT_TRUE(outcome->ready);
  EXPECT_GE(outcome->status.ready_after_ms, 100);
  EXPECT_EQ(outcome->end, GuestEnd::host_asked);
}

TEST_F(Supervise, AVmmThatTellsNothingAndEndsBeforeIsNotReady) {
  for (const auto& [program, failure] : {std::pair("/bin/true", "ended within 10000 ms of its start"),
                                         std::pair("/bin/false", "by itself with exit code 1")}) {
    (void)::unlink((folder_ / "control").c_str());
    recorder_ = {};
    Mission wanted = mission("");
    wanted.launch = {.argv = {program}, .control = vmm::Control::none, .exit_tells = vmm::ExitTells::powered_off};
    wanted.settle_time = milliseconds(10'000);
    const auto outcome = supervise(std::move(wanted));
    ASSERT_THAT(outcome, Succeeds());
    EXPECT_FALSE(outcome->ready);
    EXPECT_FALSE(recorder_.saw(Event::Kind::ready));
    EXPECT_THAT(outcome->failure, HasSubstr(failure));
  }
}

TEST(ReadAnswer, WaitsForAWholeAnswer) {
  EXPECT_FALSE(read_answer("HTTP/1.1 204 No Content\r\nServer: x\r\n").value().has_value());
  EXPECT_FALSE(read_answer("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nab").value().has_value());
  EXPECT_EQ(read_answer("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc").value()->body, "abc");
  EXPECT_EQ(read_answer("HTTP/1.1 204 \r\n\r\n").value()->status, 204);
}

TEST(ReadAnswer, RefusesWhatIsNoHttp) {
  EXPECT_THAT(read_answer("SSH-2.0-x\r\n\r\n"), FailsWith(Errc::invalid_data, HasSubstr("HTTP")));
  EXPECT_THAT(read_answer("HTTP/1.1 99999999999 x\r\n\r\n"), FailsWith(Errc::invalid_data, HasSubstr("HTTP")));
  EXPECT_THAT(read_answer(std::string(kMaxAnswer + 1, 'x')), FailsWith(Errc::invalid_data, HasSubstr("more than")));
}

TEST_F(Supervise, RunVmRefusesBeforeTheVmmStarts) {
  vm_.credentials[0].guest = "vmm.notify_socket";  // reserved
  vmm::Backend backend = {"fake",
                          [](const declare::Vm&, const credential::Plan&, const vmm::Context&) -> Result<vmm::Launch> {
                            ADD_FAILURE() << "asked for a launch";
                            return fail(Errc::usage, "no");
                          }};
  const auto outcome = run_vm({.vm = vm_,
                               .backend = backend,
                               .places = {.unit = folder_ / "unit"},
                               .observer = &recorder_,
                               .accel = declare::Accel::tcg},
                              []() -> Result<Secrets> {
                                Secrets secrets;
                                secrets.emplace("host-api-key", testing::secret("x"));
                                return secrets;
                              });
  EXPECT_FALSE(outcome.has_value());
  EXPECT_TRUE(recorder_.kinds.empty());
}

}  // namespace
}  // namespace vmcred::supervise
