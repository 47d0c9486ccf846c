// The host's units: microvm@.service, a drop-in for each vm, vmcred-memory.service and vmcred-activate.service.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "declare/model.h"
#include "unit/files.h"

namespace vmcred::unit {

/// What the units need to know of the host beside the declaration.
struct Host {
  std::string program = "/usr/bin/vmcred";  ///< what ExecStart= runs
  std::string project = "/etc/vmcred";      ///< the folder of vmcred.toml on the host
  std::string machine = {};                 ///< this host's name in the declaration; empty: the only one
  std::string vars = "/run/vmcred/vars";    ///< where activated vars are
  std::string kvm_group = "kvm";            ///< the group of /dev/kvm; empty: the host has none
};

/// The user of a vm's unit: `vmcred-NAME`, or `vmcred-` and 16 hex digits of SHA-256(NAME) where that is longer than
/// the 31 characters that systemd takes (or where the name itself could be mistaken for such digits). Needed because
/// DynamicUser= on a template alone gives all its instances one uid.
std::string user_of(const std::string& vm);

/// "microvm@NAME.service"
std::string unit_name_of(const std::string& vm);

/// The path that LoadCredential= names for a credential: the activated var, or the absolute path that was declared.
Result<std::string> source_of(const declare::Declaration& declaration, const declare::Vm& vm,
                              const declare::Credential& credential, const Host& host);

/// microvm@.service: how any vm is run and confined.
Result<UnitFile> vm_template(const Host& host);

/// microvm@NAME.service.d/50-vmcred.conf: the vm's uid, its LoadCredential= lines, its devices and paths.
Result<UnitFile> vm_drop_in(const declare::Declaration& declaration, const declare::Vm& vm, const Host& host);

/// vmcred-memory.service: mounts what the vars are to lie in, for everybody; with `early` also for those that users are
/// made with.
Result<UnitFile> memory_unit(const Host& host, bool early);

/// vmcred-activate.service: decrypts the machine's vars before any vm starts. The host's identity comes from the
/// encrypted credential `vmcred.identity` (LoadCredentialEncrypted=) where there is one, else from its key file.
Result<UnitFile> activate_unit(const Host& host);

/// vmcred-activate-early.service: the same for the vars with needed-for = "users", before any user is made.
Result<UnitFile> early_unit(const Host& host);

/// All of the above for the vms of `machine`, the template first.
Result<std::vector<UnitFile>> host_units(const declare::Declaration& declaration, const std::string& machine,
                                         const Host& host);

}  // namespace vmcred::unit
