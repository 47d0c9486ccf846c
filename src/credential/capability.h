// What one VMM on one machine type can carry into its guest, with the limits and the version that they hold from.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "credential/plan.h"
#include "declare/model.h"

namespace vmcred::credential {

/// One way of delivery as it stands for one vm: with its limits, or with the reason why it is closed.
struct Way {
  Channel channel = Channel::smbios;
  std::string closed = {};  ///< why this way cannot be used; empty: it can
  std::string remedy = {};  ///< what would open it
  /// Why the guest's systemd reads nothing of it; empty: it does. The link's token goes this way all the same: the
  /// agent looks for it by itself.
  std::string unread = {};
  std::size_t item_bytes = 0;    ///< for one credential, as the channel counts (smbios: of the string with its NUL)
  std::size_t total_bytes = 0;   ///< for all of them
  std::size_t count = 0;         ///< of items, or of strings in one structure
  std::size_t name_bytes = 255;  ///< of a guest name
  std::string limit = {};        ///< in words: where item_bytes comes from
  [[nodiscard]] bool open() const { return closed.empty(); }
};

/// The ways in the order in which a plan tries them. `told` is the VMM's version in its own words,
/// empty when it is not known; one that the declaration names counts instead.
std::vector<Way> ways_into(const declare::Vm& vm, const std::string& told, bool with_reference);

/// Whether a guest's agent can reach the supervisor at all: by a virtio-serial port, or by a vsock that ends in a unix
/// socket of ours. (A vsock that ends in the host's AF_VSOCK would need a listener that every vm can reach.)
bool has_link(const declare::Vm& vm);

/// Whether the vm has a vsock whose host end is a unix socket in its runtime folder.
bool has_hybrid_vsock(const declare::Vm& vm, bool with_link);

/// One row of the table of VMMs for people: what each can do at all, whatever the vm.
struct Capability {
  std::string_view hypervisor;  ///< "qemu q35, pc"
  std::string_view channels;
  std::string_view limits;
  std::string_view since;
};
std::vector<Capability> capabilities();

/// The version whose limits hold: the one that the declaration names, else the one that the VMM's program told.
std::string_view counting_version(const declare::Vm& vm, std::string_view told);

/// Why a VMM that told this version (or whose declared one counts) cannot carry what the plan gives it, with the
/// version that can; empty where it can or is not known.
std::string too_old(const declare::Vm& vm, std::string_view told);

/// The number before the first '.', for "7.2.22 (Debian …)", "v53.0" and the like; 0 when there is none.
int major_version(std::string_view version);

}  // namespace vmcred::credential
