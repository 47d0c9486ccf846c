// What the VMM says: on its control socket, on its standard output, and by its end.
#include "supervise/loop.h"

#include <signal.h>

#include <algorithm>

namespace vmcred::supervise {
namespace {

using std::chrono::milliseconds;

constexpr int kRounds = 16;  // so that a pipe that never runs dry keeps nothing else waiting

/// Adds what a pipe holds to `text`; closes our end when the other is closed.
void read_more(Fd& pipe, std::string& text) {
  char buffer[4096];
  for (int round = 0; round < kRounds && pipe; ++round) {
    const ssize_t n = ::read(pipe.get(), buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return;
    if (n <= 0) {
      pipe = Fd();
      return;
    }
    text.append(buffer, static_cast<std::size_t>(n));
  }
}

}  // namespace

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
      outcome_.fed = true;
      TRY(wipe_blobs(vmm_.blobs));
      tell(Event::Kind::channel_wiped);
      if (stop_.step() == StopStep::none && vmm_.driver) TRY(vmm_.driver->go());
      return {};
    case DriverEvent::Kind::running:
      guest_runs_ = true;
      settling_ = !receipt_due_ && !word_due_ && !vmm_.driver;
      limit_ = receipt_due_ || word_due_ ? now() + mission_.receipt_limit
               : settling_               ? now() + mission_.settle_time
                                         : SteadyTime::max();
      set_state(VmState::booting, receipt_due_ ? "the guest boots, its receipt is awaited"
                                  : word_due_  ? "the guest boots, its systemd's word is awaited"
                                  : settling_  ? fmt::format("ready when the VMM has lived for {} ms: it tells nothing",
                                                             mission_.settle_time.count())
                                               : "the guest runs");
      tell(Event::Kind::guest_running);
      if (!receipt_due_ && !word_due_ && !settling_) become_ready();
      return {};
    case DriverEvent::Kind::ended:
      if (outcome_.end == GuestEnd::unknown) {
        // Asked to stop, a guest answers control-alt-delete with a reboot, which ends here as well: it shut down. By
        // the guard microvm.nix's runner asks, and waits for the end.
        const bool asked = stop_.step() != StopStep::none || vmm_.guard.power_pressed();
        const bool obeyed = asked && event.end == GuestEnd::reset;
        end_guest(obeyed ? GuestEnd::powered_off : event.end);
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

Result<> Supervisor::on_console() {
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
    if (mission_.launch.console_tells && !vmm_.blobs.empty()) {
      TRY(wipe_blobs(vmm_.blobs));
      tell(Event::Kind::channel_wiped);
    }
    TRY(console_.write(bytes));
    console_end_.add(bytes);
    if (mission_.observer != nullptr && mission_.observer->on_console(bytes) == Wish::stop) begin_stop("as asked");
  }
  return {};
}

void Supervisor::on_words() {
  constexpr std::size_t kLongest = 4096;
  read_more(vmm_.words, words_);
  const bool ended = !vmm_.words;
  while (!words_.empty()) {
    const std::size_t end = words_.find('\n');
    if (end == std::string::npos && words_.size() < kLongest && !ended) return;
    const std::size_t size = std::min({end, words_.size(), kLongest});
    std::string line = words_.substr(0, size);
    if (line.ends_with('\r')) line.pop_back();
    words_.erase(0, size == end ? size + 1 : size);
    tell(Event::Kind::vmm_said, std::move(line));
  }
}

void Supervisor::on_events() {
  read_more(vmm_.events, events_);
  for (;;) {
    const auto object = take_object(events_);
    if (!object) {
      vmm_.events = Fd();  // not what we know: its end tells the rest
      events_.clear();
    }
    if (!object || !*object) return;
    const auto json = parse_json(**object, {.max_bytes = kMaxGuardCommand});
    if (!json || outcome_.end != GuestEnd::unknown) continue;
    const std::string event = json->string_at("source") + " " + json->string_at("event");
    const Json* const properties = json->find("properties");
    // A kernel that has another one loaded for this case says "crash_loaded", and goes on.
    const bool panicked =
        event == mission_.launch.panic_event && properties != nullptr && properties->string_at("event") == "panic";
    if (!panicked && event != mission_.launch.reboot_event) continue;
    end_guest(panicked ? GuestEnd::panicked : stop_.step() == StopStep::none ? GuestEnd::reset : GuestEnd::powered_off);
    if (panicked) give_up(fmt::format("the guest of vm '{}' panicked", mission_.vm.name), StopStep::quit);
    // The guest is down and what it wrote is in its disks; the VMM would go on with the token that is spent.
    vmm_.child.kill(SIGKILL);
    return;
  }
}

/// The guest runs on without one, but not as it was meant to.
Result<> Supervisor::on_helpers() {
  for (std::size_t i = 0; i < vmm_.helpers.size(); ++i) {
    if (vmm_.helpers[i].pid() <= 0) continue;
    TRY_LET(const auto status, vmm_.helpers[i].wait_for(milliseconds(0)));
    if (!status) continue;
    if (guest_runs_)
      warn(fmt::format("'{}' ended with {}, so the guest has lost the device that it served",
                       mission_.launch.helpers.at(i).argv.front(), status->text()));
    vmm_.helpers[i] = Child();
  }
  return {};
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
  on_guard();
  TRY(on_console());
  on_words();
  TRY(wipe_blobs(vmm_.blobs));
  TRY(wipe_mapped(vmm_.mapped));
  conclude_from_exit();
  if (unexplained_) tell_console_end();
  limit_ = SteadyTime::max();
  status_.vmm = 0;
  tell(Event::Kind::vmm_exited, outcome_.vmm.text());
  return {};
}

}  // namespace vmcred::supervise
