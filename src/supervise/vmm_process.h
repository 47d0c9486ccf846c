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
#include "supervise/guard.h"
#include "vmm/launch.h"

namespace vmcred::supervise {

/// A VMM that runs, with our ends of everything that it inherited.
struct VmmProcess {
  Child child;
  std::unique_ptr<Driver> driver;  ///< null with vmm::Control::none
  Fd link;                         ///< LinkKind::serial: our end; LinkKind::vsock: listens for the guest
  std::vector<Child> helpers;      ///< Launch::helpers; they end with this
  Fd notices;                      ///< Launch::notify_socket: listens for systemd in the guest
  Fd events;                       ///< Launch::event_fd: the reading end
  Fd console;                      ///< its stdout: the serial console
  Fd words;                        ///< its stderr; none where it keeps ours (vmm::Launch::keeps_stdin)
  std::vector<Fd> blobs;           ///< hold plaintext until wipe_blobs()
  std::vector<Fd>
      mapped;   ///< the same, until the guest lives, by wipe_mapped(): the VMM reads them when the guest does
  Guard guard;  ///< for other tools; without doors where none is wanted
};

/// The guest's vsock port that leads to us.
inline constexpr std::uint32_t kLinkPort = 8889;

/// What an initrd may measure.
inline constexpr std::uint64_t kMaxInitrd = 4ULL * 1024 * 1024 * 1024;

/// The line of `vmcred.link` for a token. All lines of one kind have the same length.
Secret link_line_for(vmm::LinkKind kind, const Secret& token);

/// Fills the memory files, starts the VMM (SIGKILL when we die) and begins to talk to it.
/// `folder` is the vm's runtime folder, for sockets that have to have a name. A VMM that tells its version is asked
/// before it gets anything by an API and before its guest runs: what `check_version` refuses is an error of the driver.
Result<VmmProcess> start_vmm(const vmm::Launch& launch, const Secrets& secrets,
                             const std::vector<std::string>& environment, const std::string& folder,
                             const VersionCheck& check_version = {});

/// Overwrites and empties every memory file and lets go of it. A VMM keeps its descriptors open for life and anybody
/// with its uid could read them through /proc.
Result<> wipe_blobs(std::vector<Fd>& blobs);
/// The same for files that the VMM has mapped: they keep their size, so that a late look finds zeros and no bus error.
Result<> wipe_mapped(std::vector<Fd>& files);

}  // namespace vmcred::supervise
