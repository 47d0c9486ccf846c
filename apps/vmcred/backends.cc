#include "backends.h"

#include <algorithm>
#include <array>

#include "declare/words.h"
#include "vmm/cloud_hypervisor/cloud_hypervisor.h"
#include "vmm/crosvm/crosvm.h"
#include "vmm/firecracker/firecracker.h"
#include "vmm/kvmtool/kvmtool.h"
#include "vmm/qemu/qemu.h"

namespace vmcred::app {

std::span<const vmm::Backend> backends() {
  static constexpr std::array kBackends = {
      vmm::Backend{"qemu", vmm::qemu::launch},
      vmm::Backend{"cloud-hypervisor", vmm::cloud_hypervisor::launch},
      vmm::Backend{"crosvm", vmm::crosvm::launch},
      vmm::Backend{"firecracker", vmm::firecracker::launch},
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

}  // namespace vmcred::app
