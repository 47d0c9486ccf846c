// What others may ask of a QEMU that holds credentials.
#pragma once

#include "vmm/launch.h"
#include "vmm/qemu/arguments.h"

namespace vmcred::vmm::qemu {

/// A monitor of its own for the launch's guards, with what they let through; nothing for a launch without guards.
///
/// The list holds what people and runners need of a running vm. Left out is whatever reads the guest's memory
/// (pmemsave, memsave, dump-*, human-monitor-command) and whatever makes QEMU write a file, open a socket or run a
/// program (migrate, snapshot-save, blockdev-add, object-add, chardev-add, netdev_add, …).
void put_guard(Arguments& arguments, Launch& launch, const Context& context);

}  // namespace vmcred::vmm::qemu
