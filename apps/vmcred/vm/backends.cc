#include "vm/backends.h"

#include <algorithm>
#include <array>

#include "declare/words.h"
#include "vmm/cloud_hypervisor/adopt.h"
#include "vmm/cloud_hypervisor/cloud_hypervisor.h"
#include "vmm/crosvm/adopt.h"
#include "vmm/crosvm/crosvm.h"
#include "vmm/firecracker/adopt.h"
#include "vmm/firecracker/firecracker.h"
#include "vmm/kvmtool/kvmtool.h"
#include "vmm/qemu/adopt.h"
#include "vmm/qemu/qemu.h"

namespace vmcred::app {

std::span<const vmm::Backend> backends() {
  static constexpr std::array kBackends = {
      vmm::Backend{"qemu", vmm::qemu::launch, vmm::qemu::recognises, vmm::qemu::describe, vmm::qemu::adopt},
      vmm::Backend{"cloud-hypervisor", vmm::cloud_hypervisor::launch, vmm::cloud_hypervisor::recognises,
                   vmm::cloud_hypervisor::describe, vmm::cloud_hypervisor::adopt},
      vmm::Backend{"crosvm", vmm::crosvm::launch, vmm::crosvm::recognises, vmm::crosvm::describe, vmm::crosvm::adopt},
      vmm::Backend{"firecracker", vmm::firecracker::launch, vmm::firecracker::recognises, vmm::firecracker::describe,
                   vmm::firecracker::adopt, vmm::firecracker::config_file},
      vmm::Backend{"kvmtool", vmm::kvmtool::launch},
  };
  return kBackends;
}

Result<const vmm::Backend*> find_backend(const declare::Vm& vm) {
  const std::string_view name = declare::word(vm.hypervisor);
  const auto found = std::ranges::find(backends(), name, &vmm::Backend::name);
  if (found == backends().end()) return fail(Errc::unavailable, "vmcred cannot start a vm with '{}' yet", name);
  return &*found;
}

Result<const vmm::Backend*> recognise(const vmm::Foreign& foreign) {
  for (const vmm::Backend& backend : backends()) {
    if (backend.recognises != nullptr && backend.recognises(foreign)) return &backend;
  }
  return hint(fail(Errc::usage, "vmcred does not know how to add credentials to '{}'",
                   foreign.argv.empty() ? std::string() : foreign.argv.front()),
              "the command must begin with qemu-system-ARCH, qemu-kvm, cloud-hypervisor, firecracker or crosvm");
}

}  // namespace vmcred::app
