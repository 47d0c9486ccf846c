// vmcred vm units: the host's units for systemd, and the guest's drop-ins.
#include <grp.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>

#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "project/project.h"
#include "terminal/answer.h"
#include "unit/guest.h"
#include "unit/guest_service.h"
#include "unit/host.h"
#include "unit/install.h"
#include "vars/vars.h"
#include "vm/commands.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

constexpr std::string_view kUnitFolder = "/etc/systemd/system";

constexpr Parameter kParameters[] = {
    {"[NAME]", "only this vm's units"},
    {"--install", "write the units of this machine to /etc/systemd/system, and tell systemd"},
    {"--root DIR", "with --install: write below DIR, which is another machine's /"},
    {"--guest DIR", "write the drop-ins of NAME's guest services to DIR, such as the image's /etc/systemd/system"},
    {"--check VM", "look for the files that the unit of VM would load, say which are missing"},
    {"--program PATH", "where vmcred lies on the host (default: this program)"},
    {"--host-project DIR", "where the project lies on the host (default: this project)"},
};

std::string absolute(const std::string& path) {
  char resolved[PATH_MAX];
  return ::realpath(path.c_str(), resolved) != nullptr ? resolved : path;
}

/// The machine whose units are asked for, and whether its name has to be said in them.
Result<std::string> this_machine(const declare::Declaration& declaration, const World& world) {
  if (!world.machine.empty()) {
    if (declaration.machines.contains(world.machine)) return world.machine;
    return no_machine(world.machine, declaration);
  }
  if (declaration.machines.size() == 1) return declaration.machines.begin()->first;
  return hint(fail(Errc::usage, "the declaration has {} machines", declaration.machines.size()),
              "say which one with --machine");
}

/// `kvm` where the host has such a group: a unit that names an unknown one does not start.
std::string kvm_group(const Given& given) {
  const auto text = read_file(given.at("root") + "/etc/group", 1024UL * 1024);
  return text && (text->starts_with("kvm:") || text->contains("\nkvm:")) ? "kvm" : "";
}

/// Paths inside the project, as they are on a host that has it elsewhere.
void move_project(declare::Declaration& declaration, const std::string& folder) {
  const std::string before = declaration.folder + "/";
  const auto move = [&](std::string& path) {
    if (path.starts_with(before)) path = folder + "/" + path.substr(before.size());
  };
  for (auto& [name, vm] : declaration.vms) {
    move(vm.kernel);
    move(vm.initrd);
    move(vm.binary);
    for (declare::Disk& disk : vm.disks) move(disk.path);
  }
}

Result<unit::Host> host_of(const Given& given, const declare::Declaration& declaration, const std::string& machine) {
  unit::Host host;
  host.program = given.has("program") ? given.at("program") : absolute("/proc/self/exe");
  host.project = given.has("host-project") ? given.at("host-project") : absolute(declaration.folder);
  for (const std::string& path : {host.program, host.project}) {
    if (!path.starts_with('/')) return fail(Errc::usage, "'{}' is no absolute path", path);
  }
  if (declaration.machines.size() > 1) host.machine = machine;
  host.kvm_group = kvm_group(given);
  return host;
}

void print_files(const World& world, const std::vector<unit::UnitFile>& files) {
  if (world.json) {
    Json list = Json::array();
    for (const unit::UnitFile& file : files) list.push(Json::object().set("path", file.path).set("text", file.text));
    answer_with(world, "files", std::move(list));
    return;
  }
  bool first = true;
  for (const unit::UnitFile& file : files) {
    print(world, fmt::format("{}# {}\n{}", first ? "" : "\n", file.path, file.text));
    first = false;
  }
}

void print_installed(const World& world, const std::string& folder, const std::vector<unit::Installed>& done) {
  if (world.json) {
    Json list = Json::array();
    for (const unit::Installed& one : done) {
      list.push(Json::object().set("path", join_path(folder, one.path)).set("state", unit::install_word(one.kind)));
    }
    answer_with(world, "files", std::move(list));
    return;
  }
  for (const unit::Installed& one : done) {
    print(world, fmt::format("{}: {}\n", join_path(folder, one.path), unit::install_word(one.kind)));
  }
}

bool changed(const std::vector<unit::Installed>& done) {
  for (const unit::Installed& one : done) {
    if (one.kind != unit::InstallKind::unchanged) return true;
  }
  return false;
}

Result<Exit> install_host(const Given& given, const World& world, const std::vector<unit::UnitFile>& files) {
  const std::string folder = join_path(given.has("root") ? given.at("root") : "/", kUnitFolder.substr(1));
  TRY_LET(const auto done,
          in(fmt::format("install units in '{}'", folder), unit::install_units(folder, files, unit::Scope::host)));
  print_installed(world, folder, done);
  if (given.has("root") || !is_folder("/run/systemd/system") || !changed(done)) return Exit::done;
  TRY_LET(const Output output,
          in("tell systemd about the units", vmcred::run({.argv = {"/usr/bin/env", "systemctl", "daemon-reload"}})));
  if (!output.status.ok()) {
    return hint(fail(Errc::unavailable, "the units are written, but 'systemctl daemon-reload' ended with {}",
                     output.status.text()),
                "run it yourself");
  }
  note(world, "systemd has read the units; 'systemctl enable --now microvm@NAME' starts a vm now and at boot");
  return Exit::done;
}

/// What systemd would fail to load; it does not say the name itself.
Result<Exit> check_sources(const World& world, const declare::Declaration& declaration, const declare::Vm& vm,
                           const unit::Host& host) {
  std::size_t missing = 0;
  answer_with(world, "vm", vm.name);
  for (const declare::Credential& credential : vm.credentials) {
    if (credential.static_value) continue;
    TRY_LET(const std::string source, unit::source_of(declaration, vm, credential, host));
    struct stat status = {};
    std::string why;
    if (::stat(source.c_str(), &status) != 0) {
      why = fmt::format("'{}': {}", source,
                        errno == ENOENT ? "no such file" : system_failure(errno, "look").error().message);
    } else if (!S_ISREG(status.st_mode)) {
      why = fmt::format("'{}' is no regular file", source);
    } else if (status.st_size == 0 && !credential.allow_empty) {
      why = fmt::format("'{}' is empty", source);
    } else {
      continue;
    }
    ++missing;
    answer_also(world, "missing", Json::object().set("credential", credential.host).set("why", why));
    if (!world.json)
      print(world, fmt::format("vm '{}': credential '{}' cannot be loaded: {}\n", vm.name, credential.host, why));
  }
  if (missing == 0) return Exit::done;
  note(world,
       "vmcred: hint: 'vmcred check' says why; 'vmcred vars generate' makes missing values, 'vmcred activate' decrypts "
       "them");
  return Exit::findings;
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(declare::Declaration declaration, load_project(world));
  if (given.has("host-project")) move_project(declaration, given.at("host-project"));
  const std::string name = given.has("check") ? given.at("check") : given.at("NAME");
  const declare::Vm* vm = nullptr;
  if (!name.empty()) {
    TRY_LET(vm, find_vm(declaration, name));
  }
  if (given.has("guest")) {
    if (vm == nullptr)
      return hint(fail(Errc::usage, "--guest needs the name of a vm"), "vmcred vm units NAME --guest DIR");
    TRY_LET(auto files, unit::guest_drop_ins(*vm));
    TRY_LET(const Json services, guest_services_of(world, vm->name));
    TRY_LET(auto units, unit::guest_services(services));
    std::ranges::move(units, std::back_inserter(files));
    if (files.empty()) note(world, fmt::format("no guest service of vm '{}' loads a credential", vm->name));
    TRY_LET(const auto done, unit::install_units(given.at("guest"), files, unit::Scope::guest));
    print_installed(world, given.at("guest"), done);
    return Exit::done;
  }
  std::string machine = vm != nullptr ? vm->machine : "";
  if (vm == nullptr) {
    TRY_LET(machine, this_machine(declaration, world));
  }
  TRY_LET(const unit::Host host, host_of(given, declaration, machine));
  if (given.has("check")) return check_sources(world, declaration, *vm, host);
  if (given.has("install")) {
    if (vm != nullptr)
      return hint(fail(Errc::usage, "--install writes the units of all vms of a machine"), "leave out the name");
    TRY_LET(const auto files, unit::host_units(declaration, machine, host));
    return install_host(given, world, files);
  }
  std::vector<unit::UnitFile> files;
  if (vm != nullptr) {
    TRY_LET(files.emplace_back(), unit::vm_drop_in(declaration, *vm, host));
  } else {
    TRY_LET(files, unit::host_units(declaration, machine, host));
  }
  print_files(world, files);
  return Exit::done;
}

}  // namespace

constinit const Command kVmUnits = {
    "vm units",
    "the systemd units of the vms, for the host and for the guest",
    "Without options: prints microvm@.service, vmcred-memory.service, vmcred-activate.service and a drop-in for each "
    "vm\n"
    "of this machine with its LoadCredential= lines, its user and its devices. --install writes them, says what\n"
    "changed and removes the drop-ins of vms that are gone; a second run changes nothing. Files that\n"
    "vmcred did not write are never replaced.\n"
    "\n"
    "With NAME and --guest DIR: writes a drop-in for each guest service that loads credentials\n"
    "(LoadCredential=, AssertCredential=, PrivateMounts=). Services that a Nix declaration holds are\n"
    "written whole.\n"
    "\n"
    "With --check VM: prints which file a start of that vm would miss, exit code 3. The unit itself runs it\n"
    "after a failed start, because systemd does not say which one it was.",
    kParameters,
    run,
};

}  // namespace vmcred::app
