// What others may ask of a cloud-hypervisor that holds credentials.
#pragma once

#include "vmm/launch.h"

namespace vmcred::vmm::cloud_hypervisor {

/// A guard at `path`: ping, power button, pause and resume, resize, counters, end, and vm.info without OEM strings and
/// kernel line. Refused is everything else: what gives the guest's memory away (unless `context` exposes it), and what
/// changes the vm's devices.
void add_guard(Launch& launch, std::string path, const Context& context);

}  // namespace vmcred::vmm::cloud_hypervisor
