// How to start one VMM, as plain data: nothing runs, no file is open, no plaintext is in here.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/result.h"
#include "credential/plan.h"
#include "declare/model.h"

namespace vmcred::vmm {

/// The bytes of one memory file, made by the supervisor under the final uid with mode 0600.
struct StructureBlob {
  credential::Structure structure;
};
struct ValueBlob {
  credential::FwCfgItem item;
};
struct InitrdBlob {
  std::string base;  ///< the user's initrd, whose bytes come first; empty: none
  std::vector<credential::OemEntry> entries;
};
using Blob = std::variant<StructureBlob, ValueBlob, InitrdBlob>;

/// A piece of a REST body: text as it is, or a credential's OEM string (JSON-escaped, without quotes).
using BodyPiece = std::variant<std::string, credential::OemEntry>;

struct Launch {
  std::vector<std::string> argv;
  /// The child's descriptors from `first_blob_fd` on, one memory file each, in this order.
  std::vector<Blob> blobs = {};
  int first_blob_fd = 10;
  int control_fd = 3;   ///< QEMU: QMP; cloud-hypervisor: the listening API socket
  int link_fd = 4;      ///< QEMU: the virtio-serial chardev; -1: no link on this launch
  std::vector<BodyPiece> body = {};  ///< cloud-hypervisor: vm.create
};

/// What a backend needs besides the declaration.
struct Context {
  declare::Accel accel = declare::Accel::tcg;  ///< decided: kvm or tcg
  std::uint64_t host_tsc_khz = 0;              ///< for QEMU microvm under TCG
  bool with_link = false;
  std::string version = {};                    ///< of the VMM's program, as probed; empty: not known
};

/// One row of the table of backends (apps/vmcred/backends.cc); supervise and chain know no VMM by name.
struct Backend {
  std::string_view name;
  Result<Launch> (*launch)(const declare::Vm& vm, const credential::Plan& plan, const Context& context);
};

}  // namespace vmcred::vmm
