// vmcred explain: the chain of each credential as a picture.
#include "chain/check.h"
#include "chain/commands.h"
#include "chain/explain/picture.h"
#include "chain/explain/view.h"
#include "project/project.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vm/running.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

namespace explain = chain::explain;

constexpr Parameter kParameters[] = {
    {"[VM]", "the vm (default: all of them)"},
    {"[CREDENTIAL]", "one credential, with every name and step"},
    {"--html", "print one page of HTML that needs nothing else"},
    {"--dot", "print a graph for dot(1)"},
};

/// What the supervisors of the vms say; those that are not ours to ask are left out.
void ask_supervisors(const declare::Declaration& declaration, const std::string& vm, const World& world,
                     explain::Seen& seen) {
  for (const auto& [name, declared] : declaration.vms) {
    if (!vm.empty() && name != vm) continue;
    auto status = look_at_vm(declaration, declared, world);
    if (status && *status) seen.running[name] = **std::move(status);
  }
}

Result<Exit> run(const Given& given, World& world) {
  const int views = (given.has("html") ? 1 : 0) + (given.has("dot") ? 1 : 0) + (world.json ? 1 : 0);
  if (views > 1) return fail(Errc::usage, "only one of --json, --html and --dot");
  const std::string vm = given.at("VM");
  TRY_LET(const declare::Reading reading, load_project_leniently(world));
  const declare::Declaration& declaration = reading.declaration;
  TRY_LET(const store::Repository repository, store::Repository::open(declaration.folder));
  TRY_LET(explain::Seen seen, explain::look(declaration, repository, *world.clock));
  ask_supervisors(declaration, vm, world, seen);
  TRY_LET(auto findings, chain::check_project(reading, world.project, *world.clock));
  std::erase_if(findings,
                [](const chain::Finding& each) { return each.code == chain::Code::one_reader; });  // it is no vm's
  TRY_LET(const explain::Picture picture, explain::picture(declaration, seen, std::move(findings), vm));
  if (world.json) {
    answer_with(world, explain::picture_json(picture));
  } else if (given.has("html")) {
    print(world, explain::picture_html(picture, VMCRED_VERSION));
  } else if (given.has("dot")) {
    print(world, explain::picture_dot(picture));
  } else if (picture.vms.empty() && picture.findings.empty()) {
    note(world, fmt::format("no vm is declared in '{}'", declaration.file));
  } else {
    const explain::Screen screen{.width = screen_width(world), .color = world.color_out};
    if (given.has("CREDENTIAL")) {
      TRY_LET(const std::string text, explain::chain_text(picture, given.at("CREDENTIAL"), screen));
      print(world, text);
    } else {
      print(world, explain::picture_text(picture, screen));
    }
  }
  return Exit::done;
}

}  // namespace

constinit const Command kExplain = {
    "explain",
    "draw the chain of each credential, from its generator to the services that load it",
    "Every name that a credential has on its way, how one follows from the other, and how each step fares: whether\n"
    "its value is fresh, activated on this machine, within its channel's budget, and what the running vm received\n"
    "of it. What 'vmcred check' finds stands where it belongs. No value is shown, no key is needed.\n\n"
    "On a terminal with less room, host and channel are left out; COLUMNS sets the width. With --json: {folder,\n"
    "generation, vms: [{vm, machine, …, containers, credentials: [{name, generator, file, var, state, host, source,\n"
    "channel, size, guest, services, received, steps, findings}]}], findings}.\n\n"
    "--html makes a page to look at or to send on: vmcred explain --html >chains.html",
    kParameters,
    run,
};

}  // namespace vmcred::app
