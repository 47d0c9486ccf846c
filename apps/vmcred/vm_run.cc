// vmcred vm run: start a vm, prove what it received, keep it.
#include <algorithm>
#include <charconv>

#include "base/file.h"
#include "commands.h"
#include "project.h"
#include "terminal.h"
#include "vms.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"NAME", "the vm"},
    {"--accel ACCEL", "auto (default), kvm or tcg"},
    {"--console", "print the guest's serial console to standard output"},
    {"--receipt-timeout SECONDS", "how long the guest may take to prove what it got (default: 90 with KVM, 300 with TCG)"},
};

/// Tells the story of a vm, one line a chapter, without values and lengths: this is what the journal keeps.
class Story final : public supervise::Observer {
 public:
  Story(const World& world, const declare::Vm& vm, bool console) : world_(world), vm_(vm), console_(console) {}

  supervise::Wish on_event(const supervise::Event& event) override {
    using Kind = supervise::Event::Kind;
    switch (event.kind) {
      case Kind::vmm_started: tell(event, fmt::format("the VMM runs with {} (process {})", event.status.accel, event.status.vmm)); break;
      case Kind::channel_wiped: tell(event, "its channel was read and wiped"); break;
      case Kind::guest_running: tell(event, "the guest boots"); break;
      case Kind::receipt: tell(event, receipt_text(event)); break;
      case Kind::ready: tell(event, "ready"); break;
      case Kind::stopping: tell(event, "stopping: " + event.detail); break;
      case Kind::guest_ended: tell(event, event.detail); break;
      case Kind::vmm_exited: tell(event, "the VMM ended with " + event.detail); break;
      case Kind::warning: tell(event, "warning: " + event.detail); break;
    }
    return supervise::Wish::go_on;
  }

  supervise::Wish on_console(std::string_view bytes) override {
    if (console_) print(world_, bytes);
    return supervise::Wish::go_on;
  }

 private:
  static std::string receipt_text(const supervise::Event& event) {
    std::size_t received = 0;
    for (const auto& line : event.status.receipts) received += line.state == "received" ? 1 : 0;
    std::string text = fmt::format("receipt: {} credentials arrived", received);
    if (!event.status.proven) text += "; " + event.detail;
    return text;
  }
  void tell(const supervise::Event& event, const std::string& text) const {
    const double seconds = static_cast<double>(event.since_start.count()) / 1000;
    note(world_, fmt::format("{}: {:.3f} s: {}", vm_.name, seconds, text));
  }

  const World& world_;
  const declare::Vm& vm_;
  bool console_;
};

/// Secrets can reach a disk through swap, unless our unit has none.
void warn_about_swap(const World& world) {
  constexpr std::size_t kMaxSwaps = 64 * 1024;
  const auto swaps = read_file("/proc/swaps", kMaxSwaps);
  if (!swaps || std::ranges::count(*swaps, '\n') < 2 || !world.env("INVOCATION_ID").empty()) return;
  note(world, "vmcred: warning: this machine has swap, and outside a unit (MemorySwapMax=0) the guest's memory may go there");
}

Result<std::chrono::milliseconds> read_seconds(const std::string& text) {
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds == 0 || seconds > 86'400) {
    return fail(Errc::usage, "'{}' is no number of seconds from 1 to 86400", text);
  }
  return std::chrono::seconds(seconds);
}

Result<Exit> run(const Given& given, World& world) {
  StartOptions options;
  if (given.has("accel")) {
    TRY_LET(options.accel, read_accel(given.at("accel")));
  }
  if (given.has("receipt-timeout")) {
    TRY_LET(options.receipt_limit, read_seconds(given.at("receipt-timeout")));
  }
  TRY_LET(const declare::Declaration declaration, load_project(world));
  TRY_LET(const declare::Vm* const vm, find_vm(declaration, given.at("NAME")));
  warn_about_swap(world);
  Story story(world, *vm, given.has("console"));
  options.observer = &story;
  TRY_LET(const supervise::Outcome outcome, run_declared_vm(declaration, *vm, options, world));
  if (outcome.good()) return Exit::done;
  if (!outcome.failure.empty()) return fail(Errc::unavailable, "{}", outcome.failure);
  return fail(Errc::unavailable, "vm '{}' was stopped, but its guest did not power off cleanly: {}", vm->name,
              supervise::guest_end_text(outcome.end));
}

}  // namespace

constinit const Command kVmRun = {
    "vm run",
    "start a vm, deliver its credentials, wait for the receipt",
    "Reads the vm's credentials ($CREDENTIALS_DIRECTORY in a unit, else the store, into memory only), hands\n"
    "them to the VMM through inherited memory files, wipes those, lets the guest run and waits for its\n"
    "receipt. Then READY=1 is sent to systemd. Ends when the guest does: 0 when it powered off after READY,\n"
    "else 1. SIGTERM and control-c ask the guest to power off, then end the VMM.\n"
    "\n"
    "The guest's serial console is kept in console.log in the vm's runtime folder.",
    kParameters,
    run,
};

}  // namespace vmcred::app
