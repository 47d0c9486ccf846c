// vmcred doctor: why units failed, and what on this running host endangers or blocks its secrets.
#include "chain/doctor/doctor.h"

#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "chain/check.h"
#include "chain/describe.h"
#include "chain/report.h"
#include "declare/words.h"
#include "host/commands.h"
#include "project/project.h"
#include "store/key_ring.h"
#include "store/repository.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"
#include "vars/run_steps.h"
#include "vm/running.h"

namespace vmcred::app {
namespace {

namespace doctor = chain::doctor;

constexpr std::string_view kInstalledProject = "/etc/vmcred";

constexpr Parameter kParameters[] = {
    {"--unit NAME...", "only this unit, also when it is well (repeatable)"},
    {"--describe CODE", "explain a finding; 'all' lists the codes"},
};

class Examination {
 public:
  explicit Examination(const World& world) : world_(world), status_(world) {
    search_path_ = world.env("PATH").empty() ? std::string(kSystemPath) : world.env("PATH");
    doors_ = doctor::real_doors(search_path_);
  }

  /// Only the units that were named.
  Result<> units(std::vector<std::string> names) {
    status_.show("units …");
    for (std::string& name : names)
      if (!name.contains('.')) name += ".service";
    TRY_LET(const auto found, doctor::unit_states(doors_, names));
    add(doctor::examine_units(doors_, found, doctor::host_systemd_version(doors_), true));
    if (found.empty()) return fail(Errc::not_found, "systemd knows no unit '{}'", names.front());
    return {};
  }

  Result<> everything() {
    failed_units();
    processes();
    status_.show("memory …");
    add(doctor::examine_memory(doors_));
    add(doctor::examine_scripts(doors_, systemd_socket(world_)));
    load();
    status_.show("versions …");
    add(doctor::examine_versions(doors_, search_path_, hypervisors()));
    status_.show("KVM …");
    add(doctor::examine_virtualization(
        doors_, {.required = any_vm([](const declare::Vm& vm) { return vm.accel == declare::Accel::kvm; })}));
    status_.show("keys and clock …");
    add(doctor::examine_keys(doors_, *world_.clock,
                             {.needs_key = is_host_,
                              .operator_key = store::operator_key_path(world_.environment),
                              .project = declaration_ ? declaration_->folder : ""}));
    TRY(store_health());
    boot_files();
    running_vms();
    return {};
  }

  std::vector<chain::Finding> findings() {
    status_.clear();
    chain::sort_findings(findings_);
    std::ranges::stable_sort(findings_, std::ranges::greater(), &chain::Finding::level);  // what matters comes first
    return std::move(findings_);
  }

 private:
  void add(std::vector<chain::Finding> more) {
    for (chain::Finding& each : more) findings_.push_back(std::move(each));
  }
  void not_looked_at(const std::string& place, const Error& error) {
    findings_.push_back(chain::finding(chain::Code::not_looked_at, {.file = place}, error.message, error.hint));
  }

  void failed_units() {
    status_.show("units …");
    const auto units = doctor::unit_states(doors_, {"microvm@*.service", "vmcred-activate.service"});
    if (!units) return not_looked_at("systemd", units.error());
    is_host_ = std::ranges::any_of(
        *units, [](const auto& unit) { return unit.name == "vmcred-activate.service" && unit.load == "loaded"; });
    std::vector<doctor::UnitState> known = *units;
    std::erase_if(known, [](const auto& unit) { return unit.load == "not-found"; });
    add(doctor::examine_units(doors_, known, doctor::host_systemd_version(doors_), false));
    add(doctor::examine_users(doors_, known));
  }

  void processes() {
    status_.show("command lines and environments …");
    LeakPatterns patterns;
    add(doctor::add_activated_values(doors_, patterns));
    add(doctor::examine_processes(doors_, patterns, ::getpid()));
  }

  /// The project, where there is one: this folder's, else the one that units are installed for.
  void load() {
    World there = world_;
    const bool here = declare::find_declaration(there.project) || !there.nix.empty() || !there.flake.empty();
    if (!here) there.project = kInstalledProject;
    if (!here && !declare::find_declaration(there.project)) return;
    auto declaration = load_project(there);
    if (!declaration) return not_looked_at(there.project, declaration.error());
    declaration_ = std::move(*declaration);
  }

  template <class Test>
  [[nodiscard]] bool any_vm(Test test) const {
    return declaration_ && std::ranges::any_of(declaration_->vms, [&](const auto& each) { return test(each.second); });
  }

  /// What the declared vms run with, where this machine starts vms at all.
  [[nodiscard]] std::vector<std::string> hypervisors() const {
    std::vector<std::string> programs;
    if (!declaration_ || !is_host_) return programs;
    for (const auto& [name, vm] : declaration_->vms) {
      programs.push_back(chain::program_of(vm));
    }
    std::ranges::sort(programs);
    const auto same = std::ranges::unique(programs);
    programs.erase(same.begin(), same.end());
    return programs;
  }

  Result<> store_health() {
    if (!declaration_) return {};
    status_.show("store …");
    TRY_LET(const store::Repository repository, store::Repository::open(declaration_->folder));
    auto found = chain::check_store(*declaration_, repository, *world_.clock);
    if (!found) return not_looked_at(declaration_->folder, found.error()), Result<>{};
    add(std::move(*found));
    return {};
  }

  void boot_files() {
    if (!declaration_ || !is_host_) return;
    auto found = chain::check_host(*declaration_, "/run/vmcred/vars", search_path_);
    std::erase_if(found, [](const chain::Finding& each) {
      return each.code == chain::Code::no_hypervisor;
    });  // told with the versions
    add(std::move(found));
  }

  void running_vms() {
    if (!declaration_) return;
    status_.show("running vms …");
    add(doctor::examine_vms(look_at_running(*declaration_, world_, [this](const std::string& vm, const Error& error) {
      not_looked_at(fmt::format("vm '{}'", vm), error);
    })));
  }

  const World& world_;
  StatusLine status_;
  std::string search_path_;
  doctor::Doors doors_;
  std::optional<declare::Declaration> declaration_ = {};
  bool is_host_ = false;
  std::vector<chain::Finding> findings_ = {};
};

Result<Exit> run(const Given& given, World& world) {
  if (given.has("describe")) return describe(world, given.at("describe"));
  Examination examination(world);
  if (given.has("unit")) {
    TRY(examination.units(given.all("unit")));
  } else {
    TRY(examination.everything());
  }
  const std::vector<chain::Finding> findings = examination.findings();
  const bool any = chain::any_findings(findings);
  if (world.json) {
    answer_with(world, chain::findings_json(findings));
  } else {
    print(world, chain::findings_text(findings, world.color_out));
    if (!any && !findings.empty()) print(world, "no findings, these are notes\n");
  }
  return any ? Exit::findings : Exit::done;
}

}  // namespace

constinit const Command kDoctor = {
    "doctor",
    "find what is wrong on this running host, and why a unit failed",
    "For each failed unit of a vm (or for --unit NAME) repeats systemd's lookup of its credentials step by step, and\n"
    "names the credential, the path and the error behind 'Protocol error' and 243/CREDENTIALS.\n"
    "\n"
    "Then looks for activated values and for what looks like a secret on the command lines and in the environments\n"
    "of all processes; for swap, core files and credentials that may be swapped; for versions with known traps; for a\n"
    "KVM that opens and hangs (a tiny guest runs for at most three seconds); at clock, private keys and store; and "
    "for\n"
    "running guests with older values than this host has activated. Changes nothing; values are compared in memory "
    "and\n"
    "never printed. As root it sees everything, else it says what it could not look at.\n"
    "\n"
    "Exit code 3 when there is any error or warning; notes change nothing.",
    kParameters,
    run,
};

}  // namespace vmcred::app
