// vmcred vm plan: how each credential of a vm would travel, with the bytes used and allowed. Starts nothing.
#include <fmt/format.h>

#include "activate/generation.h"
#include "base/json.h"
#include "chain/sizes.h"
#include "credential/capability.h"
#include "credential/plan.h"
#include "project/project.h"
#include "supervise/accel.h"
#include "supervise/run.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vm/backends.h"
#include "vm/commands.h"
#include "vm/libvirt.h"
#include "vm/vms.h"
#include "vmm/blob.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"[NAME]", "the vm (default: the only one; --capabilities needs none)"},
    {"--probe", "ask the VMM's program for its version, and plan with that version's limits"},
    {"--libvirt",
     "print a <sysinfo> element for a libvirt domain: the activated files by fw_cfg, nothing on a command line"},
    {"--argv", "print the command line that would run, one word a line"},
    {"--capabilities", "print what each hypervisor can carry, with its limits"},
};

using Rows = std::vector<std::vector<std::string>>;

Json plan_json(const credential::Plan& plan, const std::string& version) {
  Json json = Json::object();
  json.set("vm", plan.vm).set("hypervisor", plan.hypervisor).set("guest_systemd", plan.guest_systemd);
  if (!version.empty()) json.set("vmm_version", version);
  Json credentials = Json::array();
  for (const credential::Entry& entry : plan.entries) {
    Json one = Json::object();
    one.set("host", entry.host.empty() ? Json() : Json(entry.host)).set("guest", entry.guest);
    one.set("channel", entry.channel ? Json(credential::channel_name(*entry.channel)) : Json());
    one.set("size", entry.size_known ? Json(entry.size) : Json());
    one.set("bytes_used", entry.bytes_used).set("bytes_allowed", entry.bytes_allowed);
    if (!entry.refused.empty()) one.set("refused", entry.refused).set("remedy", entry.remedy);
    credentials.push(std::move(one));
  }
  json.set("credentials", std::move(credentials));
  Json budgets = Json::array();
  for (const credential::Budget& budget : plan.budgets) {
    Json one = Json::object();
    one.set("what", budget.what).set("used", budget.used).set("allowed", budget.allowed);
    budgets.push(std::move(one));
  }
  json.set("budgets", std::move(budgets));
  Json remarks = Json::array();
  for (const credential::Remark& remark : plan.remarks) {
    Json one = Json::object();
    one.set("refusal", remark.refusal).set("text", remark.text).set("remedy", remark.remedy);
    remarks.push(std::move(one));
  }
  json.set("remarks", std::move(remarks));
  return json;
}

std::string plan_text(const credential::Plan& plan, const std::string& version, bool color) {
  const std::string vmm = version.empty() ? plan.hypervisor : fmt::format("{} ({})", plan.hypervisor, version);
  std::string text = fmt::format("{}: {}, guest systemd {}\n\n", plan.vm, vmm, plan.guest_systemd);
  Rows rows = {{"GUEST", "HOST", "CHANNEL", "SIZE", "USED", "ALLOWED"}};
  for (const credential::Entry& entry : plan.entries) {
    rows.push_back({entry.guest, entry.host.empty() ? "(static)" : entry.host,
                    entry.channel ? std::string(credential::channel_name(*entry.channel)) : "refused",
                    entry.size_known ? std::to_string(entry.size) : "?",
                    entry.size_known ? std::to_string(entry.bytes_used) : "?", std::to_string(entry.bytes_allowed)});
  }
  text += table(rows, color);
  rows = {{"BUDGET", "USED", "ALLOWED"}};
  for (const credential::Budget& budget : plan.budgets) {
    rows.push_back({budget.what, std::to_string(budget.used), std::to_string(budget.allowed)});
  }
  text += "\n" + table(rows, color);
  std::string findings;
  const auto add = [&](bool refusal, std::string_view what, const std::string& remedy) {
    findings += fmt::format("{}: {}\n",
                            styled(refusal ? "refused" : "note", refusal ? Style::red : Style::yellow, color), what);
    if (!remedy.empty()) findings += fmt::format("  hint: {}\n", remedy);
  };
  for (const credential::Entry& entry : plan.entries) {
    if (!entry.refused.empty()) add(true, fmt::format("'{}': {}", entry.guest, entry.refused), entry.remedy);
  }
  for (const credential::Remark& remark : plan.remarks) add(remark.refusal, remark.text, remark.remedy);
  if (!findings.empty()) text += "\n" + findings;
  return text;
}

Exit print_capabilities(World& world) {
  if (world.json) {
    Json all = Json::array();
    for (const credential::Capability& row : credential::capabilities()) {
      Json one = Json::object();
      one.set("hypervisor", row.hypervisor)
          .set("channels", row.channels)
          .set("limits", row.limits)
          .set("since", row.since);
      all.push(std::move(one));
    }
    answer_with(world, "hypervisors", std::move(all));
    return Exit::done;
  }
  Rows rows = {{"HYPERVISOR", "CHANNELS", "SINCE", "LIMITS"}};
  for (const credential::Capability& row : credential::capabilities()) {
    rows.push_back(
        {std::string(row.hypervisor), std::string(row.channels), std::string(row.since), std::string(row.limits)});
  }
  print(world, table(rows, world.color_out));
  return Exit::done;
}

Result<const declare::Vm*> given_vm(const declare::Declaration& declaration, const std::string& name) {
  if (!name.empty()) return find_vm(declaration, name);
  if (declaration.vms.size() == 1) return &declaration.vms.begin()->second;
  if (declaration.vms.empty()) return fail(Errc::not_found, "no vm is declared in '{}'", declaration.file);
  std::string names;
  for (const auto& [each, vm] : declaration.vms) names += (names.empty() ? "" : ", ") + each;
  return hint(fail(Errc::usage, "which vm?"), "declared are " + names);
}

/// What `vm run` would find here; VMMs that run on KVM alone are shown as on a machine that has it.
Result<vmm::Context> preview_context(const declare::Vm& vm, bool with_link, const World& world) {
  vmm::Context context = {.accel = declare::Accel::kvm, .with_link = with_link};
  TRY_LET(context.runtime_folder, supervise::runtime_path(runtime_places(world), vm.name));
  if (vm.hypervisor != declare::Hypervisor::qemu) return context;
  TRY_LET(context.accel, supervise::choose_accel(vm.accel));
  if (context.accel == declare::Accel::tcg && vm.qemu_machine == "microvm") {
    context.host_tsc_khz = supervise::measure_tsc_khz();
  }
  return context;
}

/// The first line of the program's own words; a program that does not answer is an error here, where it was asked for.
Result<std::string> version_of(const declare::Vm& vm) {
  const std::string program = vmm::program_of(vm);
  std::string version = supervise::probe_version(program);
  if (version.empty()) {
    return hint(fail(Errc::unavailable, "'{} --version' tells nothing", program),
                "install it, or declare binary = \"…\"");
  }
  return version;
}

Result<Exit> run(const Given& given, World& world) {
  if (given.has("capabilities")) return print_capabilities(world);
  TRY_LET(const declare::Declaration declaration, load_project(world));
  TRY_LET(const declare::Vm* vm, given_vm(declaration, given.at("NAME")));
  if (given.has("libvirt")) {
    TRY_LET(const std::string xml, libvirt_sysinfo(declaration, *vm));
    answer_with(world, Json::object().set("vm", vm->name).set("sysinfo", xml));
    if (!world.json) print(world, xml);
    return Exit::done;
  }
  std::string version = vm->vmm_version;
  if (given.has("probe") && version.empty()) {
    TRY_LET(version, version_of(*vm));
  }
  const auto repository = store::Repository::open(declaration.folder);
  chain::Sizes known(repository ? &*repository : nullptr, activate::Places{}.link);
  const std::map<std::string, std::size_t> sizes = known.of(declaration, *vm);
  const bool with_link = vm->guest.agent;
  const credential::Plan plan = credential::make_plan(
      {.vm = *vm, .sizes = sizes, .with_link = with_link, .with_reference = with_link, .vmm_version = version});
  if (given.has("argv")) {
    TRY_LET(const vmm::Backend* backend, find_backend(*vm));
    TRY_LET(vmm::Context context, preview_context(*vm, with_link, world));
    context.version = version;
    TRY_LET(const vmm::Launch launch, backend->launch(*vm, plan, context));
    if (world.json) {
      answer_with(world, Json::object().set("vm", vm->name).set("argv", Json::strings(launch.argv)));
    } else {
      for (const std::string& word : launch.argv) print(world, word + "\n");
    }
    return Exit::done;
  }
  if (world.json) {
    answer_with(world, plan_json(plan, version));
  } else {
    print(world, plan_text(plan, version, world.color_out));
  }
  return plan.deliverable() ? Exit::done : Exit::failed;
}

}  // namespace

constinit const Command kVmPlan = {
    "vm plan",
    "show how each credential of a vm would travel, and whether it fits",
    "Nothing is started, written or decrypted (but --probe runs the VMM's program with --version). Sizes\n"
    "come from the store, which tells them without a key, or from the activated values; what is not known\n"
    "is shown as '?' and never refused. Exit code 1 means that something cannot be delivered: the reason\n"
    "and the remedy stand below the table.",
    kParameters,
    run,
};

}  // namespace vmcred::app
