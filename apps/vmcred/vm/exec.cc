// vmcred exec: a VMM's command line that somebody else built, with the credentials of a vm added to it.
#include "declare/names.h"
#include "project/project.h"
#include "vm/commands.h"
#include "vm/project_for_vm.h"
#include "vm/story.h"
#include "vm/vms.h"
#include "vmm/crosvm/adopt.h"
#include "vmm/crosvm/conflicts.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"--vm NAME", "the declared vm whose credentials are added"},
    {"--allow-option NAME...", "let an option pass that vmcred does not know: NAME, NAME= (with a value) or NAME=TYPE"},
    {"--without-control",
     "leave out crosvm's control socket, which no guard can stand before, if the command line names one"},
    {"--expose WHAT...",
     "let the guard pass this: snapshot, migration or coredump, each of which holds the guest's memory"},
};

/// As a shell would say it: the exit code, or 128 and the signal.
Exit status_of(const ExitStatus& vmm) { return static_cast<Exit>(vmm.signal != 0 ? 128 + vmm.signal : vmm.code); }

Result<Exit> run(const Given& given, World& world) {
  if (world.json)
    return hint(fail(Errc::usage, "standard output of 'exec' is that of the VMM, which is no JSON"),
                "leave out --json; 'vmcred vm status NAME --json' tells how it fares");
  if (!given.has("vm")) return hint(fail(Errc::usage, "'exec' needs --vm"), "vmcred exec --vm NAME -- VMM ARGS...");
  vmm::Foreign foreign = {.argv = given.all("REST")};
  if (foreign.argv.empty())
    return hint(fail(Errc::usage, "'exec' needs a command"), "vmcred exec --vm NAME -- VMM ARGS...");
  if (given.has("without-control") && vmm::crosvm::recognises(foreign))
    foreign.argv = vmm::crosvm::without_control_socket(foreign.argv);
  StartOptions options;
  TRY_LET(options.exposed, read_exposures(given.all("expose")));
  TRY_LET(const declare::Declaration declaration, load_project_for_vm(world, given.at("vm")));
  TRY_LET(const declare::Vm* const declared, find_vm(declaration, given.at("vm")));
  declare::Vm vm = *declared;
  for (const std::string& word : given.all("allow-option")) {
    if (!declare::valid_allowed_option(word))
      return hint(fail(Errc::usage, "'{}' is no option that can be allowed", word),
                  std::string(declare::kAllowedOptionHint));
    vm.allowed_options.push_back(word);
  }
  warn_about_swap(world);
  Story story(world, vm, true);
  options.observer = &story;
  TRY_LET(const supervise::Outcome outcome, run_foreign_vm(declaration, vm, foreign, options, world));
  if (!outcome.failure.empty() && outcome.vmm.ok()) return fail(Errc::unavailable, "{}", outcome.failure);
  if (!outcome.failure.empty()) note(world, "vmcred: error: " + outcome.failure);
  // A VMM that was made to end says 0 as well, and one that does not end with its guest had to be made to.
  if (outcome.stop_asked && !outcome.good() && outcome.vmm.ok())
    return fail(Errc::unavailable, "{}", unclean_stop(vm, outcome));
  if (outcome.ended_by_us && outcome.good()) return Exit::done;
  return status_of(outcome.vmm);
}

}  // namespace

constinit const Command kExec = {
    "exec",
    "run a VMM's command line with the credentials of a vm added",
    "For command lines of QEMU, cloud-hypervisor, Firecracker and crosvm that others wrote, runners of\n"
    "microvm.nix among them. Every argument is kept and only what the delivery needs is added; what would\n"
    "conflict is refused with the remedy. The vm is declared with its credentials and its guest; kernel,\n"
    "memory and devices are what the command line says. Options that vmcred does not know are refused, as are those "
    "that\n"
    "open the guest's memory to others; --allow-option, or allow-options in the declaration, lets one pass that is "
    "not\n"
    "known. A configuration of Firecracker's and all arguments\n"
    "of cloud-hypervisor are handed over by the API instead, so that no value stands where others read it.\n"
    "\n"
    "A control socket among the arguments (-qmp, -mon, -monitor, --api-socket, --api-sock) becomes a guard\n"
    "at the same path: status, power key, pause, resume, balloon, resize and counters pass, the rest is\n"
    "refused and logged. Standard input goes to the VMM, its output comes to standard output, and its exit\n"
    "code is ours; 1 where the vm failed although the VMM did not.",
    kParameters,
    run,
    Rest::required,
};

}  // namespace vmcred::app
