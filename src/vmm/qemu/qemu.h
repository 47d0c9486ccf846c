// QEMU: a declaration and a plan in, a command line and memory files out.
#pragma once

#include "base/result.h"
#include "vmm/launch.h"

namespace vmcred::vmm::qemu {

/// The launch of `vm`. Fails with `usage` where the declaration cannot be (an unknown machine type, an extra argument
/// that would undo what the supervisor relies on) and with the plan's own reason where it is not deliverable.
Result<Launch> launch(const declare::Vm& vm, const credential::Plan& plan, const Context& context);

}  // namespace vmcred::vmm::qemu
