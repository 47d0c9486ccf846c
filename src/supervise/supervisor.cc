#include "supervise/supervisor.h"

#include <poll.h>
#include <signal.h>

#include <algorithm>

#include "base/clock.h"
#include "base/file.h"
#include "link/address.h"
#include "supervise/console.h"
#include "supervise/control.h"
#include "supervise/link_pump.h"
#include "supervise/refresh.h"
#include "supervise/stop_signals.h"
#include "supervise/vmm_process.h"

namespace vmcred::supervise {
namespace {

using std::chrono::milliseconds;

/// A guest that reboots more often than this within the window is a loop, not a reboot.
constexpr std::size_t kMaxReboots = 5;
constexpr std::chrono::minutes kRebootWindow{5};
/// A guest cannot fill the log with what it does wrong on the link.
constexpr unsigned kMaxLinkWarnings = 20;

/// "'API_KEY' missing, 'JWT' truncated": names and states, no lengths, for it goes to the journal.
std::string shortcomings(const link::Receipt& receipt) {
  std::string text;
  for (const link::ReceiptEntry& entry : receipt.entries) {
    if (entry.state == link::State::received || entry.state == link::State::unexpected) continue;
    text += fmt::format("{}'{}' {}", text.empty() ? "" : ", ", entry.guest, link::state_name(entry.state));
  }
  return text;
}

class Supervisor {
 public:
  explicit Supervisor(Mission& mission, StopSignals signals, ControlServer control, ConsoleLog console)
      : mission_(mission),
        signals_(std::move(signals)),
        control_(std::move(control)),
        console_(std::move(console)),
        stop_(mission.stop) {
    status_.vm = mission.vm.name;
    status_.accel = mission.accel;
    status_.supervisor = ::getpid();
    status_.started_unix = std::chrono::duration_cast<std::chrono::seconds>(real_clock().now().time_since_epoch()).count();
  }

  Result<Outcome> run() {
    notify(fmt::format("EXTEND_TIMEOUT_USEC={}\nSTATUS=starting the VMM",
                       std::chrono::microseconds(mission_.start_limit + mission_.receipt_limit + mission_.stop.all()).count()));
    do {
      TRY(begin_life());
      while (vmm_.child.pid() > 0) TRY(turn());
    } while (wants_another_life());
    return finish();
  }

 private:
  // One life of the VMM.
  Result<> begin_life();
  Result<> turn();
  bool wants_another_life();
  Outcome finish();

  // What comes in.
  Result<> on_driver();
  Result<> on_driver_event(const DriverEvent& event);
  Result<> on_link();
  void on_link_event(const link::HostEvent& event);
  void on_receipt(const link::Receipt& receipt);
  Result<> on_console();
  void on_signals();
  void on_control();
  Result<> on_vmm_exit();
  void on_deadlines();

  // What we do.
  void become_ready();
  void begin_stop(const std::string& reason, StopStep step = StopStep::agent);
  void stop_harder(StopStep step);
  void give_up(std::string failure, StopStep step);
  void tell(Event::Kind kind, std::string detail = {}, const link::Receipt* receipt = nullptr);
  void warn(std::string text) { tell(Event::Kind::warning, std::move(text)); }
  void notify(const std::string& state);
  void set_state(VmState state, std::string detail);
  [[nodiscard]] SteadyTime now() const { return real_clock().steady(); }

  /// A refresh that runs in the guest, and who waits for its end.
  struct Refreshing {
    std::uint64_t client;
    Secrets values;
    std::uint64_t generation;
  };
  Result<> begin_refresh(const ControlServer::Request& request);
  void end_refresh(const link::Refreshed& end);

  Mission& mission_;
  StopSignals signals_;
  ControlServer control_;
  ConsoleLog console_;
  StopPlan stop_;
  Status status_;
  Outcome outcome_;
  const SteadyTime start_ = real_clock().steady();

  VmmProcess vmm_;
  std::optional<LinkPump> link_;
  bool guest_runs_ = false;
  bool exit_tells_ = false;
  bool receipt_due_ = false;
  bool failed_to_notify_ = false;
  unsigned link_warnings_ = 0;
  SteadyTime limit_ = SteadyTime::max();  ///< of what we wait for now: the channel, then the receipt
  std::vector<SteadyTime> reboots_;
  std::vector<std::uint64_t> stop_clients_;  ///< they hear how it ended
  std::uint64_t generation_ = 1;             ///< of the set that the guest should hold
  std::optional<Refreshing> refreshing_;
};

Result<> Supervisor::begin_life() {
  outcome_.end = GuestEnd::unknown;
  guest_runs_ = false;
  receipt_due_ = mission_.expect_receipt;
  end_refresh({.ok = false, .generation = generation_, .text = "the guest rebooted"});
  link_.reset();
  set_state(VmState::starting, "starting the VMM");
  Secret token(link::kTokenSize);
  mission_.randomness->fill(token.writable());
  if (mission_.launch.link != vmm::LinkKind::none) {
    mission_.secrets.insert_or_assign(std::string(credential::kLinkCredential), link_line_for(mission_.launch.link, token));
  }
  TRY_LET(vmm_, start_vmm(mission_.launch, mission_.secrets, mission_.vmm_environment, mission_.folder));
  status_.vmm = vmm_.child.pid();
  if (vmm_.link) {
    TRY_LET(link::Set expected, expected_set(mission_.vm, mission_.secrets, generation_));
    link::HostConfig config = {.vm = mission_.vm.name,
                               .token = std::move(token),
                               .expected = std::move(expected),
                               .by_reference = mission_.by_reference,
                               .randomness = mission_.randomness};
    link::HostSession session(std::move(config));
    link_ = mission_.launch.link == vmm::LinkKind::vsock ? LinkPump::listening(std::move(vmm_.link), std::move(session))
                                                         : LinkPump(std::move(vmm_.link), std::move(session));
  }
  limit_ = now() + mission_.start_limit;
  exit_tells_ = !vmm_.driver || vmm_.driver->exit_tells();
  tell(Event::Kind::vmm_started);
  // A VMM that nobody can talk to runs its guest at once and reads its files when it likes.
  if (!vmm_.driver) return on_driver_event({DriverEvent::Kind::running});
  return {};
}

Result<> Supervisor::turn() {
  std::vector<pollfd> polled;
  const auto watch = [&polled](const Fd& fd, short events) {
    if (fd) polled.push_back({.fd = fd.get(), .events = events, .revents = 0});
  };
  watch(vmm_.child.pidfd(), POLLIN);
  watch(signals_.fd(), POLLIN);
  watch(vmm_.console, POLLIN);
  if (vmm_.driver) watch(vmm_.driver->fd(), POLLIN);
  if (link_) watch(link_->fd(), link_->wanted());
  for (const int fd : control_.descriptors()) polled.push_back({.fd = fd, .events = POLLIN, .revents = 0});

  const auto next = std::min(limit_, stop_.deadline());
  int wait = -1;
  if (next != SteadyTime::max()) {
    const auto left = std::chrono::ceil<milliseconds>(next - now()).count();
    wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  if (::poll(polled.data(), polled.size(), wait) < 0 && errno != EINTR) return fail_errno("wait for events");

  // Which descriptor woke us does not matter: everything is read without blocking, in the order in which it is news.
  TRY(on_console());
  TRY(on_driver());
  TRY(on_link());
  on_signals();
  on_control();
  TRY(on_vmm_exit());
  on_deadlines();
  return {};
}

Result<> Supervisor::on_driver() {
  if (!vmm_.driver || !vmm_.driver->fd()) return {};
  auto events = vmm_.driver->receive();
  if (!events) {
    // A VMM that dies breaks its socket a moment earlier; its own end tells more.
    TRY_LET(const auto status, vmm_.child.wait_for(milliseconds(200)));
    if (!status) return std::unexpected(std::move(events).error());
    outcome_.vmm = *status;
    vmm_.driver.reset();
    return {};
  }
  for (const DriverEvent& event : *events) TRY(on_driver_event(event));
  return {};
}

Result<> Supervisor::on_driver_event(const DriverEvent& event) {
  switch (event.kind) {
    case DriverEvent::Kind::channel_read:
      TRY(wipe_blobs(vmm_.blobs));
      tell(Event::Kind::channel_wiped);
      if (stop_.step() == StopStep::none && vmm_.driver) TRY(vmm_.driver->go());
      return {};
    case DriverEvent::Kind::running:
      guest_runs_ = true;
      limit_ = receipt_due_ ? now() + mission_.receipt_limit : SteadyTime::max();
      set_state(VmState::booting, receipt_due_ ? "the guest boots, its receipt is awaited" : "the guest runs");
      tell(Event::Kind::guest_running);
      if (!receipt_due_) become_ready();
      return {};
    case DriverEvent::Kind::ended:
      if (outcome_.end == GuestEnd::unknown) {
        // Asked to stop, a guest answers control-alt-delete with a reboot, which ends here as well: it shut down.
        const bool obeyed = stop_.step() != StopStep::none && event.end == GuestEnd::reset;
        outcome_.end = obeyed ? GuestEnd::powered_off : event.end;
        guest_runs_ = false;
        limit_ = SteadyTime::max();
        tell(Event::Kind::guest_ended, std::string(guest_end_text(outcome_.end)));
        // The VMM follows by itself, but not every one after a panic.
        if (event.end == GuestEnd::panicked) {
          give_up(fmt::format("the guest of vm '{}' panicked", mission_.vm.name), StopStep::quit);
        }
      }
      return {};
    case DriverEvent::Kind::closed:
      vmm_.driver.reset();
      return {};
  }
  return {};
}

Result<> Supervisor::on_link() {
  if (!link_ || !link_->fd()) return {};
  TRY(link_->pump());
  while (auto event = link_->session().take_event()) on_link_event(*event);
  return link_->pump();
}

void Supervisor::on_link_event(const link::HostEvent& event) {
  const auto complain = [this](const std::string& text) {
    if (++link_warnings_ <= kMaxLinkWarnings) warn(text);
    if (link_warnings_ == kMaxLinkWarnings) warn("further complaints about the link are kept silent");
  };
  if (const auto* const arrived = std::get_if<link::ReceiptArrived>(&event)) {
    on_receipt(arrived->receipt);
  } else if (const auto* const away = std::get_if<link::TurnedAway>(&event)) {
    complain("the link turned a speaker away: " + away->reason);
  } else if (const auto* const violation = std::get_if<link::Violation>(&event)) {
    complain("the guest broke the link's protocol: " + violation->reason);
  } else if (const auto* const refreshed = std::get_if<link::Refreshed>(&event)) {
    end_refresh(*refreshed);
  }
}

void Supervisor::on_receipt(const link::Receipt& receipt) {
  // The guest lives, so its VMM has read everything, also one that cannot tell.
  if (const auto wiped = wipe_blobs(vmm_.blobs); !wiped) warn(wiped.error().message);
  status_.generation = receipt.generation;
  status_.proven = receipt.complete();
  status_.receipts.clear();
  for (const link::ReceiptEntry& entry : receipt.entries) {
    status_.receipts.push_back({entry.guest, std::string(link::state_name(entry.state)), static_cast<std::size_t>(entry.size)});
  }
  tell(Event::Kind::receipt, receipt.complete() ? "complete" : shortcomings(receipt), &receipt);
  if (!receipt_due_) return;
  receipt_due_ = false;
  limit_ = SteadyTime::max();
  if (receipt.complete()) {
    become_ready();
  } else {
    give_up(fmt::format("the guest of vm '{}' did not receive what was sent: {}", mission_.vm.name, shortcomings(receipt)),
            StopStep::agent);
  }
}

Result<> Supervisor::on_console() {
  constexpr int kRounds = 16;
  char buffer[16 * 1024];
  for (int round = 0; round < kRounds && vmm_.console; ++round) {
    const ssize_t n = ::read(vmm_.console.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return {};
    if (n < 0) return fail_errno("read the guest's console");
    if (n == 0) {
      vmm_.console = Fd();
      return {};
    }
    const std::string_view bytes(buffer, static_cast<std::size_t>(n));
    TRY(console_.write(bytes));
    if (mission_.observer != nullptr && mission_.observer->on_console(bytes) == Wish::stop) begin_stop("as asked");
  }
  return {};
}

void Supervisor::on_signals() {
  while (const int number = signals_.next()) {
    const bool again = stop_.step() != StopStep::none;
    if (again && number == SIGINT) stop_harder(StopPlan::after(stop_.step()));  // control-c once more: hurry
    if (!again) begin_stop(number == SIGINT ? "interrupted" : number == SIGHUP ? "the terminal is gone" : "asked to stop");
  }
}

Result<> Supervisor::begin_refresh(const ControlServer::Request& request) {
  if (refreshing_) return fail(Errc::unavailable, "vm '{}' is being refreshed already", mission_.vm.name);
  if (!link_ || !link_->fd()) return fail(Errc::unavailable, "vm '{}' has no link to its guest", mission_.vm.name);
  TRY_LET(Secrets values, unpack_values(mission_.vm, request.passed));
  TRY_LET(link::Set set, refreshed_set(mission_.vm, mission_.secrets, values, generation_ + 1));
  TRY(link_->session().refresh(std::move(set)));
  refreshing_ = Refreshing{.client = request.client, .values = std::move(values), .generation = generation_ + 1};
  return link_->pump();
}

void Supervisor::end_refresh(const link::Refreshed& end) {
  if (!refreshing_) return;
  Refreshing refreshing = *std::exchange(refreshing_, std::nullopt);
  if (end.ok) {
    generation_ = refreshing.generation;
    for (auto& [host, value] : refreshing.values) mission_.secrets.insert_or_assign(host, std::move(value));
  }
  Json answer = Json::object();
  answer.set("refreshed", end.ok);
  answer.set("generation", static_cast<std::int64_t>(generation_));
  answer.set("error", end.text);
  control_.answer(refreshing.client, answer);
  if (!end.ok) warn("the refresh failed: " + end.text);
}

void Supervisor::on_control() {
  for (const ControlServer::Request& request : control_.receive()) {
    const std::string what = request.json.string_at("do");
    if (what == "status") {
      control_.answer(request.client, status_json(status_));
    } else if (what == "stop") {
      stop_clients_.push_back(request.client);
      if (stop_.step() == StopStep::none) begin_stop("'vmcred vm stop'");
    } else if (what == "refresh") {
      const auto begun = begin_refresh(request);
      if (begun) continue;  // the answer comes with the end
      refreshing_.reset();
      control_.answer(request.client, Json::object().set("refreshed", false).set("error", begun.error().message));
    } else {
      control_.answer(request.client, Json::object().set("error", "unknown request"));
    }
  }
}

Result<> Supervisor::on_vmm_exit() {
  if (outcome_.vmm.code < 0 && outcome_.vmm.signal == 0) {
    TRY_LET(const auto status, vmm_.child.wait_for(milliseconds(0)));
    if (!status) return {};
    outcome_.vmm = *status;
  }
  // Its last words may still be in the sockets.
  if (vmm_.driver) {
    if (auto events = vmm_.driver->receive()) {
      for (const DriverEvent& event : *events) TRY(on_driver_event(event));
    }
  }
  TRY(on_console());
  TRY(wipe_blobs(vmm_.blobs));
  if (exit_tells_ && outcome_.vmm.ok() && guest_runs_) TRY(on_driver_event({DriverEvent::Kind::ended, GuestEnd::powered_off}));
  limit_ = SteadyTime::max();
  status_.vmm = 0;
  tell(Event::Kind::vmm_exited, outcome_.vmm.text());
  return {};
}

void Supervisor::on_deadlines() {
  if (vmm_.child.pid() <= 0) return;
  if (stop_.due(now())) return stop_harder(StopPlan::after(stop_.step()));
  if (now() < limit_ || stop_.step() != StopStep::none) return;
  limit_ = SteadyTime::max();
  if (!guest_runs_) {
    give_up(fmt::format("the VMM of vm '{}' did not start within {} s", mission_.vm.name,
                        std::chrono::ceil<std::chrono::seconds>(mission_.start_limit).count()),
            StopStep::quit);
  } else {
    give_up(fmt::format("no receipt came from the guest of vm '{}' within {} s", mission_.vm.name,
                        std::chrono::ceil<std::chrono::seconds>(mission_.receipt_limit).count()),
            StopStep::power);
  }
}

void Supervisor::become_ready() {
  set_state(VmState::running, mission_.expect_receipt ? "the guest proved its credentials" : "unproven: no receipt was asked for");
  if (!outcome_.ready) {
    outcome_.ready = true;
    status_.ready_after_ms = std::chrono::duration_cast<milliseconds>(now() - start_).count();
    notify("READY=1");
  }
  tell(Event::Kind::ready);
}

void Supervisor::begin_stop(const std::string& reason, StopStep step) {
  if (stop_.step() != StopStep::none) return;
  outcome_.stop_asked = true;
  set_state(VmState::stopping, reason);
  notify(fmt::format("STOPPING=1\nEXTEND_TIMEOUT_USEC={}", std::chrono::microseconds(mission_.stop.all()).count()));
  tell(Event::Kind::stopping, reason);
  stop_harder(step);
}

void Supervisor::stop_harder(StopStep step) {
  if (step <= StopStep::power && !guest_runs_) step = StopStep::quit;  // nobody there to ask
  stop_.enter(step, now());
  Result<> done;
  switch (stop_.step()) {
    case StopStep::none: return;
    case StopStep::agent:
      done = link_ && link_->fd() ? link_->session().power_off() : fail(Errc::unavailable, "no agent");
      if (done) done = link_->pump();
      break;
    case StopStep::power:
      done = vmm_.driver ? vmm_.driver->press_power() : fail(Errc::unavailable, "no control socket");
      break;
    case StopStep::quit:
      done = vmm_.driver ? vmm_.driver->quit() : fail(Errc::unavailable, "no control socket");
      break;
    case StopStep::terminate: vmm_.child.kill(SIGTERM); break;
    case StopStep::kill: vmm_.child.kill(SIGKILL); break;
  }
  // A way that is not there needs no waiting.
  if (!done) stop_harder(StopPlan::after(stop_.step()));
}

void Supervisor::give_up(std::string failure, StopStep step) {
  if (outcome_.failure.empty()) outcome_.failure = std::move(failure);
  begin_stop(outcome_.failure, step);
}

void Supervisor::tell(Event::Kind kind, std::string detail, const link::Receipt* receipt) {
  if (mission_.observer == nullptr) return;
  const Event event = {.kind = kind,
                       .detail = std::move(detail),
                       .since_start = std::chrono::duration_cast<milliseconds>(now() - start_),
                       .status = status_,
                       .receipt = receipt};
  if (mission_.observer->on_event(event) == Wish::stop && kind != Event::Kind::stopping) begin_stop("as asked");
}

void Supervisor::notify(const std::string& state) {
  const auto sent = mission_.notifier.send(state);
  if (sent || failed_to_notify_) return;
  failed_to_notify_ = true;
  warn(sent.error().message);
}

void Supervisor::set_state(VmState state, std::string detail) {
  // A stop that is under way stays what is told.
  if (stop_.step() != StopStep::none && state < VmState::stopping) return;
  status_.state = state;
  status_.detail = std::move(detail);
  notify("STATUS=" + status_.detail);
}

bool Supervisor::wants_another_life() {
  if (outcome_.end != GuestEnd::reset || stop_.step() != StopStep::none) return false;
  const SteadyTime time = now();
  std::erase_if(reboots_, [&](SteadyTime then) { return time - then > kRebootWindow; });
  if (reboots_.size() >= kMaxReboots) {
    outcome_.failure = fmt::format("the guest of vm '{}' rebooted {} times within {} minutes", mission_.vm.name,
                                   kMaxReboots + 1, kRebootWindow.count());
    return false;
  }
  reboots_.push_back(time);
  ++status_.reboots;
  status_.proven = false;
  status_.receipts.clear();
  outcome_.vmm = {};
  return true;
}

Outcome Supervisor::finish() {
  if (outcome_.failure.empty() && !outcome_.stop_asked) {
    if (outcome_.end == GuestEnd::unknown) {
      outcome_.failure = fmt::format("the VMM of vm '{}' ended by itself with {}", mission_.vm.name, outcome_.vmm.text());
    } else if (!outcome_.ready) {
      outcome_.failure = fmt::format("the guest of vm '{}' ended before its receipt", mission_.vm.name);
    }
  }
  if (outcome_.failure.empty() && outcome_.stop_asked && !outcome_.ready) {
    outcome_.failure = fmt::format("vm '{}' was stopped before it was ready", mission_.vm.name);
  }
  status_.state = outcome_.good() ? VmState::stopped : VmState::failed;
  status_.detail = outcome_.failure.empty() ? std::string(guest_end_text(outcome_.end)) : outcome_.failure;
  notify("STATUS=" + status_.detail);
  outcome_.status = status_;
  for (const std::uint64_t client : stop_clients_) control_.answer(client, status_json(status_));
  return std::move(outcome_);
}

}  // namespace

Result<Outcome> supervise(Mission mission) {
  TRY_LET(StopSignals signals, StopSignals::take());
  TRY_LET(ControlServer control, ControlServer::listen(join_path(mission.folder, "control")));
  TRY_LET(ConsoleLog console, ConsoleLog::open(join_path(mission.folder, "console.log")));
  Supervisor supervisor(mission, std::move(signals), std::move(control), std::move(console));
  return supervisor.run();
}

}  // namespace vmcred::supervise
