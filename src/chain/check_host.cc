// Findings of the machine that vms run on: what a start would miss, told before it.
#include <algorithm>

#include "base/file.h"
#include "base/process.h"
#include "chain/check.h"
#include "declare/words.h"

namespace vmcred::chain {
namespace {

void check_boot_file(const declare::Vm& vm, std::string_view what, const std::string& path,
                     std::vector<Finding>& findings) {
  if (path.empty() || exists(path)) return;
  findings.push_back(finding(Code::no_boot_file, vm.place,
                             fmt::format("vm '{}' has no {}: there is no '{}'", vm.name, what, path),
                             fmt::format("put it there, or change the vm's {} in the declaration", what)));
}

void check_vm(const declare::Vm& vm, const std::string& search_path, std::vector<Finding>& findings) {
  check_boot_file(vm, "kernel", vm.kernel, findings);
  check_boot_file(vm, "initrd", vm.initrd, findings);
  // QEMU also boots from a disk; whoever gives it an initrd or a command line means a kernel.
  const bool needs_kernel =
      vm.hypervisor != declare::Hypervisor::qemu || !vm.initrd.empty() || !vm.command_line.empty();
  if (vm.kernel.empty() && needs_kernel) {
    findings.push_back(finding(Code::no_boot_file, vm.place,
                               fmt::format("vm '{}' declares no kernel, and {} does not start without one", vm.name,
                                           declare::word(vm.hypervisor)),
                               "declare kernel = \"…\""));
  }
  if (const std::string program = program_of(vm); !find_program(program, search_path)) {
    findings.push_back(finding(Code::no_hypervisor, vm.place,
                               fmt::format("vm '{}' needs '{}', which is not on this machine", vm.name, program),
                               "install it, or name the program with binary = \"…\""));
  }
}

}  // namespace

std::string program_of(const declare::Vm& vm) {
  if (!vm.binary.empty()) return vm.binary;
  switch (vm.hypervisor) {
    case declare::Hypervisor::qemu:
      return "qemu-system-" + vm.architecture;
    case declare::Hypervisor::kvmtool:
      return "lkvm";
    default:
      return std::string(declare::word(vm.hypervisor));
  }
}

std::vector<Finding> check_host(const declare::Declaration& declaration, const std::string& activated,
                                const std::string& search_path) {
  std::vector<Finding> findings;
  if (!is_folder(activated)) return findings;
  for (const auto& [name, vm] : declaration.vms) {
    const bool here = declaration.machines.size() == 1 ||
                      is_folder(join_path(activated, "per-machine/" + vm.machine)) ||
                      is_folder(join_path(activated, "per-vm/" + name));
    if (here) check_vm(vm, search_path, findings);
  }
  return findings;
}

}  // namespace vmcred::chain
