// The body of vm.create: a configuration without secrets, and the credentials put into it as pieces.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::cloud_hypervisor {

/// The guest sees the host's vsock CID here; 3 is the first that a guest can have.
inline constexpr unsigned kDefaultCid = 3;

/// Adds the plan's credentials to `config` (a VmConfig without platform.oem_strings) and gives the requests that create
/// and boot it. Refuses a body over the limit of the version in `context` with `invalid_data`.
///
/// Words of the kernel line are put behind payload.cmdline.
Result<std::vector<Request>> requests_for(Json config, const credential::Plan& plan, const Context& context);

/// The option for cloud-hypervisor's event monitor, which tells of reboots: it does them itself.
inline constexpr int kEventFd = 6;
void add_event_monitor(Launch& launch);

/// How the VMM is asked for its version, the guest to power off, and the VMM told to end.
void add_other_requests(Launch& launch);

}  // namespace vmcred::vmm::cloud_hypervisor
