// The table of backends: the one place that knows every VMM.
#pragma once

#include <span>

#include "vmm/launch.h"

namespace vmcred::app {

/// In the order of the documentation.
std::span<const vmm::Backend> backends();

/// The backend of a vm's hypervisor; one that is not built yet is `unavailable`.
Result<const vmm::Backend*> find_backend(const declare::Vm& vm);

/// The backend whose VMM a command line of somebody else's starts; `usage` when it is none that can be adopted.
Result<const vmm::Backend*> recognise(const vmm::Foreign& foreign);

}  // namespace vmcred::app
