// The questions of doctor: each looks at one side of a running host and gives findings. Nothing is changed, no value is
// kept or printed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/leak_scan.h"
#include "base/result.h"
#include "chain/doctor/doors.h"
#include "chain/doctor/unit_state.h"
#include "chain/finding.h"
#include "declare/model.h"
#include "supervise/status.h"

namespace vmcred::chain::doctor {

/// Why units failed: every credential of each is looked up as systemd would. `named`: also units that are well, and
/// what systemd would leave out silently.
std::vector<Finding> examine_units(const Doors& doors, const std::vector<UnitState>& units, int systemd, bool named);

/// Running units of vms (microvm@…) that share a uid, read from /proc/PID/status.
std::vector<Finding> examine_users(const Doors& doors, const std::vector<UnitState>& units);

/// Adds every value below the activated vars to what is looked for; they live in `patterns` alone. Findings: values
/// that could not be read.
std::vector<Finding> add_activated_values(const Doors& doors, LeakPatterns& patterns);

/// Command lines and environments of all processes but `self`: activated values, and what looks like a secret.
std::vector<Finding> examine_processes(const Doors& doors, const LeakPatterns& patterns, pid_t self);

/// Swap, core files of hypervisors, and the file systems below /run/credentials and /run/vmcred.d.
std::vector<Finding> examine_memory(const Doors& doors);

/// Which limit on the memory of generator scripts holds: nothing where it is the kernel's, else a note with the reason.
/// `systemd_socket`: that of our own manager, "" for none.
std::vector<Finding> examine_scripts(const Doors& doors, const std::string& systemd_socket);

/// Versions of systemd, of the hypervisors on the search path, of QEMU's firmware, with their known traps.
/// `hypervisors`: the programs that declared vms need; one that is not there is a finding.
std::vector<Finding> examine_versions(const Doors& doors, const std::string& search_path,
                                      const std::vector<std::string>& hypervisors);

/// What vms of this machine want of /dev/kvm.
struct KvmWish {
  bool required = false;  ///< a declared vm says accel = "kvm"
};
std::vector<Finding> examine_virtualization(const Doors& doors, const KvmWish& wish);

/// The clock against the times that systemd and the store left behind; modes and owners of private keys; whether this
/// machine has a key at all (where `needs_key`) and has activated its vars.
struct KeyWish {
  bool needs_key = false;         ///< a declaration deploys secrets to this machine
  std::string operator_key = {};  ///< the operator's key file; empty: none
  std::string project = {};       ///< its newest file says how late it is at least; empty: none
};
std::vector<Finding> examine_keys(const Doors& doors, const Clock& clock, const KeyWish& wish);

/// One running vm; its status names what the store or this host has in a newer value.
struct RunningVm {
  supervise::Status status;
};
std::vector<Finding> examine_vms(const std::vector<RunningVm>& vms);

}  // namespace vmcred::chain::doctor
