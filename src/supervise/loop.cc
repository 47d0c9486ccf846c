// The life of a vm: start the VMM, turn after turn until it is gone, again after a reboot, and what is told meanwhile.
#include "supervise/loop.h"

#include <poll.h>

#include <algorithm>

#include "base/file.h"
#include "link/address.h"
#include "supervise/refresh.h"

namespace vmcred::supervise {
namespace {

using std::chrono::milliseconds;

/// A guest that reboots more often than this within the window is a loop, not a reboot.
constexpr std::size_t kMaxReboots = 5;
constexpr std::chrono::minutes kRebootWindow{5};

}  // namespace

Supervisor::Supervisor(Mission& mission, StopSignals signals, ControlServer control, ConsoleLog console)
    : mission_(mission),
      signals_(std::move(signals)),
      control_(std::move(control)),
      console_(std::move(console)),
      stop_(mission.stop),
      sockets_(mission.launch.link_path) {
  status_.vm = mission.vm.name;
  status_.accel = mission.accel;
  status_.supervisor = ::getpid();
  status_.started_unix =
      std::chrono::duration_cast<std::chrono::seconds>(real_clock().now().time_since_epoch()).count();
  status_.values_unix_ms = unix_ms();
}

Result<Outcome> Supervisor::run() {
  notify(fmt::format(
      "EXTEND_TIMEOUT_USEC={}\nSTATUS=starting the VMM",
      std::chrono::microseconds(mission_.start_limit + mission_.receipt_limit + mission_.stop.all()).count()));
  do {
    TRY(begin_life());
    while (vmm_.child.pid() > 0) {
      auto done = turn();
      if (done) continue;
      on_words();  // they may say why
      return std::unexpected(std::move(done).error());
    }
  } while (wants_another_life());
  return finish();
}

Result<> Supervisor::begin_life() {
  outcome_.end = GuestEnd::unknown;
  guest_runs_ = false;
  events_.clear();
  settling_ = false;
  console_end_.clear();
  leaving_.reset();
  farewell_limit_ = SteadyTime::max();
  unexplained_ = false;
  receipt_due_ = mission_.expect_receipt;
  word_due_ = !mission_.expect_receipt && !mission_.launch.notify_socket.empty();
  status_.systemd = {};
  told_notices_ = 0;
  end_refresh({.ok = false, .generation = generation_, .text = "the guest rebooted"});
  // Nobody of the life before holds the sockets that the next one makes.
  link_.reset();
  notices_ = NoticeListener();
  vmm_.helpers.clear();
  answer_status_clients();
  set_state(VmState::starting, "starting the VMM");
  if (generation_ > 1 && mission_.plan_again) {
    TRY_LET(PlannedLaunch planned, mission_.plan_again(mission_.secrets));
    mission_.launch = std::move(planned.launch);
    mission_.by_reference = planned.by_reference;
  }
  Secret token(link::kTokenSize);
  mission_.randomness->fill(token.writable());
  if (mission_.launch.link != vmm::LinkKind::none) {
    mission_.secrets.insert_or_assign(std::string(credential::kLinkCredential),
                                      link_line_for(mission_.launch.link, token));
  }
  TRY_LET(vmm_, start_vmm(mission_.launch, mission_.secrets, mission_.vmm_environment, mission_.folder,
                          mission_.check_version));
  status_.vmm = vmm_.child.pid();
  notices_ = NoticeListener(std::move(vmm_.notices));
  if (vmm_.link) {
    TRY_LET(link::Set expected, whole_set(expected_set(mission_.vm, mission_.secrets, generation_)));
    link::HostConfig config = {.vm = mission_.vm.name,
                               .token = std::move(token),
                               .expected = std::move(expected),
                               .by_reference = mission_.by_reference,
                               .randomness = mission_.randomness};
    link::HostSession session(std::move(config));
    link_ = mission_.launch.link == vmm::LinkKind::vsock
                ? LinkPump::listening(std::move(vmm_.link), mission_.launch.link_path, std::move(session))
                : LinkPump(std::move(vmm_.link), std::move(session));
  }
  limit_ = now() + mission_.start_limit;
  tell(Event::Kind::vmm_started);
  for (std::string& warning : std::exchange(mission_.launch.warnings, {})) warn(std::move(warning));
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
  watch(vmm_.words, POLLIN);
  watch(vmm_.events, POLLIN);
  if (vmm_.driver) watch(vmm_.driver->fd(), POLLIN);
  if (link_) link_->add_to(polled);
  notices_.add_to(polled);
  for (const Child& helper : vmm_.helpers) watch(helper.pidfd(), POLLIN);
  vmm_.guard.watch(polled);
  for (const int fd : control_.descriptors()) polled.push_back({.fd = fd, .events = POLLIN, .revents = 0});

  const auto next = std::min({limit_, stop_.deadline(), status_limit_, notices_.deadline(), farewell_limit_,
                              link_ ? link_->deadline() : SteadyTime::max()});
  int wait = -1;
  if (next != SteadyTime::max()) {
    const auto left = std::chrono::ceil<milliseconds>(next - now()).count();
    wait = static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }
  if (vmm_.guard.has_more()) wait = 0;
  if (::poll(polled.data(), polled.size(), wait) < 0 && errno != EINTR) return fail_errno("wait for events");

  // Which descriptor woke us does not matter: everything is read without blocking, in the order in which it is news.
  TRY(on_console());
  on_words();
  TRY(on_driver());
  on_events();
  TRY(on_link());
  on_notices();
  on_farewell();
  TRY(on_helpers());
  on_signals();
  on_control();
  on_guard();
  TRY(on_vmm_exit());
  on_deadlines();
  return {};
}

bool Supervisor::wants_another_life() {
  if (outcome_.end != GuestEnd::reset || stop_.step() != StopStep::none) return false;
  // A guest that proved its credentials and then says that it reboots means it; a loop does not get that far.
  if (!leaving_ || !status_.proven) {
    const SteadyTime time = now();
    std::erase_if(reboots_, [&](SteadyTime then) { return time - then > kRebootWindow; });
    if (reboots_.size() >= kMaxReboots) {
      outcome_.failure = fmt::format("the guest of vm '{}' rebooted {} times within {} minutes", mission_.vm.name,
                                     kMaxReboots + 1, kRebootWindow.count());
      return false;
    }
    reboots_.push_back(time);
  }
  ++status_.reboots;
  status_.proven = false;
  status_.generation = 0;
  status_.receipts.clear();
  outcome_.vmm = {};
  return true;
}

Outcome Supervisor::finish() {
  if (outcome_.failure.empty() && !outcome_.stop_asked) {
    if (outcome_.end == GuestEnd::unknown) {
      outcome_.failure =
          fmt::format("the VMM of vm '{}' ended by itself with {}", mission_.vm.name, outcome_.vmm.text());
    } else if (!outcome_.ready) {
      outcome_.failure = settling_ ? fmt::format("the guest of vm '{}' ended within {} ms of its start",
                                                 mission_.vm.name, mission_.settle_time.count())
                                   : fmt::format("the guest of vm '{}' ended before its {}", mission_.vm.name,
                                                 word_due_ ? "systemd said that it is ready" : "receipt");
    }
  }
  if (outcome_.failure.empty() && outcome_.stop_asked && !outcome_.ready) {
    outcome_.failure = fmt::format("vm '{}' was stopped before it was ready", mission_.vm.name);
  }
  status_.state = outcome_.good() ? VmState::stopped : VmState::failed;
  status_.detail = outcome_.failure.empty() ? std::string(guest_end_text(outcome_.end)) : outcome_.failure;
  notify("STATUS=" + status_.detail);
  outcome_.status = status_;
  answer_status_clients();
  for (const std::uint64_t client : stop_clients_) control_.answer(client, status_json(status_));
  return std::move(outcome_);
}

void Supervisor::become_ready() {
  set_state(VmState::running, mission_.expect_receipt ? "the guest proved its credentials"
                              : settling_
                                  ? fmt::format("unproven: the VMM has lived for {} ms, and nobody can ask its guest",
                                                mission_.settle_time.count())
                              : mission_.launch.notify_socket.empty()
                                  ? "unproven: no receipt was asked for"
                                  : "unproven: its systemd says that it is ready, no receipt was asked for");
  if (!outcome_.ready) {
    outcome_.ready = true;
    status_.ready_after_ms = std::chrono::duration_cast<milliseconds>(now() - start_).count();
    notify("READY=1");
  }
  tell(Event::Kind::ready);
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

Result<Outcome> supervise(Mission mission) {
  TRY_LET(StopSignals signals, StopSignals::take());
  TRY_LET(ControlServer control, ControlServer::listen(join_path(mission.folder, "control")));
  TRY_LET(ConsoleLog console, ConsoleLog::open(join_path(mission.folder, "console.log")));
  Supervisor supervisor(mission, std::move(signals), std::move(control), std::move(console));
  return supervisor.run();
}

}  // namespace vmcred::supervise
