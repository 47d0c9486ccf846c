// vmcred vm run: start a vm, prove what it received, keep it.
#include <charconv>

#include "project/project.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vm/commands.h"
#include "vm/project_for_vm.h"
#include "vm/story.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"NAME", "the vm"},
    {"--accel ACCEL", "auto (default), kvm or tcg"},
    {"--console", "print the guest's serial console to standard output"},
    {"--expose WHAT...",
     "let the guard pass this: snapshot, migration or coredump, each of which holds the guest's memory"},
    {"--receipt-timeout SECONDS",
     "how long the guest may take to prove what it got (default: 90 with KVM, 300 with TCG)"},
    {"--start-timeout SECONDS", "how long the VMM may take to read what it is given (default: 30)"},
};

Result<std::chrono::milliseconds> read_seconds(const std::string& text) {
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds == 0 || seconds > 86'400) {
    return fail(Errc::usage, "'{}' is no number of seconds from 1 to 86400", text);
  }
  return std::chrono::seconds(seconds);
}

Result<Exit> run(const Given& given, World& world) {
  if (world.json && given.has("console"))
    return hint(fail(Errc::usage, "--console and --json both want standard output"),
                "the console is kept in console.log in the vm's runtime folder");
  StartOptions options;
  if (given.has("accel")) {
    TRY_LET(options.accel, read_accel(given.at("accel")));
  }
  if (given.has("receipt-timeout")) {
    TRY_LET(options.receipt_limit, read_seconds(given.at("receipt-timeout")));
  }
  if (given.has("start-timeout")) {
    TRY_LET(options.start_limit, read_seconds(given.at("start-timeout")));
  }
  TRY_LET(options.exposed, read_exposures(given.all("expose")));
  TRY_LET(const declare::Declaration declaration, load_project_for_vm(world, given.at("NAME")));
  TRY_LET(const declare::Vm* const vm, find_vm(declaration, given.at("NAME")));
  warn_about_swap(world);
  Story story(world, *vm, given.has("console"));
  options.observer = &story;
  TRY_LET(const supervise::Outcome outcome, run_declared_vm(declaration, *vm, options, world));
  supervise::Status last = story.last();
  last.vm = vm->name;
  answer_with(world, supervise::status_json(last));
  if (outcome.good()) return Exit::done;
  if (!outcome.failure.empty()) return fail(Errc::unavailable, "{}", outcome.failure);
  return fail(Errc::unavailable, "{}", unclean_stop(*vm, outcome));
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
    "The guest's serial console is kept in console.log in the vm's runtime folder. There other tools find a\n"
    "guard in the place of the VMM's own socket, 'qmp.sock' or 'api.sock': it lets status, power key, pause,\n"
    "resume, balloon and the like through and refuses the rest.",
    kParameters,
    run,
};

}  // namespace vmcred::app
