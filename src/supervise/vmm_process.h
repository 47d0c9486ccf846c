// One start of a VMM: memory files and sockets are made, it inherits exactly these, nothing else passes over.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/process.h"
#include "base/result.h"
#include "supervise/credentials.h"
#include "supervise/driver.h"
#include "vmm/launch.h"

namespace vmcred::supervise {

/// A VMM that runs, with our ends of everything that it inherited.
struct VmmProcess {
  Child child;
  std::unique_ptr<Driver> driver;  ///< null with vmm::Control::none
  Fd link;                         ///< LinkKind::serial: our end
  Fd console;                      ///< its stdout: the serial console
  std::vector<Fd> blobs;           ///< hold plaintext until wipe_blobs()
};

/// What an initrd may measure.
inline constexpr std::uint64_t kMaxInitrd = 4ULL * 1024 * 1024 * 1024;

/// Fills the memory files, starts the VMM (SIGKILL when we die) and begins to talk to it.
Result<VmmProcess> start_vmm(const vmm::Launch& launch, const Secrets& secrets,
                             const std::vector<std::string>& environment);

/// Overwrites and empties every memory file and lets go of it. A VMM keeps its descriptors open for life and anybody
/// with its uid could read them through /proc.
Result<> wipe_blobs(std::vector<Fd>& blobs);

}  // namespace vmcred::supervise
