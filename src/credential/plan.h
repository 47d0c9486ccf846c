// The delivery plan: for each credential of a vm a channel, with bytes used and allowed. Pure: no I/O, no plaintext.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "declare/model.h"

namespace vmcred::credential {

enum class Channel : std::uint8_t { smbios, fw_cfg, api, initrd, reference, kernel_line };
std::string_view channel_name(Channel channel);  ///< "smbios", "fw_cfg", …

/// The host name and guest name of the link's token, a secret like any other.
inline constexpr std::string_view kLinkCredential = "vmcred.link";

/// Where systemd in the guest says how it fares (systemd.system-credentials(7)): our end of the vm's vsock.
inline constexpr std::string_view kNotifyCredential = "vmm.notify_socket";
inline constexpr std::uint32_t kNotifyPort = 8890;

/// One OEM string of a type-11 structure. The value stands either here (static, not secret: text form) or is looked up
/// by host name at launch (secret: binary form, base64).
struct OemEntry {
  std::string guest;                     ///< empty: `text` is a whole OEM string of the user's that is no credential
  std::string host = {};                 ///< set for secrets
  std::optional<std::string> text = {};  ///< set for static values
  std::size_t size = 0;                  ///< bytes of the value; 0 while it is not known
};

/// One SMBIOS type-11 structure to be built (SMBIOS 3.6 §7.12); `raw_size` counts header, strings and the final NUL.
struct Structure {
  std::uint16_t handle = 0;
  std::vector<OemEntry> entries = {};
  std::size_t raw_size = 0;
};

/// One QEMU fw_cfg item `opt/io.systemd.credentials/GUEST`.
struct FwCfgItem {
  std::string guest;
  std::string host = {};
  std::optional<std::string> text = {};
  std::size_t size = 0;
};

/// What the plan says of one credential; `refused` says why it cannot be delivered, with the numbers.
struct Entry {
  std::string name;
  std::string host;  ///< empty for static values
  std::string guest;
  std::optional<Channel> channel = {};
  std::size_t size = 0;
  bool size_known = true;
  std::size_t bytes_used = 0;     ///< in its channel: with prefix, name and base64 where it has them
  std::size_t bytes_allowed = 0;  ///< of its channel, for one such item
  std::string refused = {};
  std::string remedy = {};
};

/// How full one container is: a structure, the table, the guest's credentials together.
struct Budget {
  std::string what;
  std::size_t used = 0;
  std::size_t allowed = 0;
};

/// A finding about the whole plan; a refusal stops the launch like a refused entry.
struct Remark {
  bool refusal = false;
  std::string text;
  std::string remedy = {};
};

struct Plan {
  std::string vm;
  std::string hypervisor;
  int guest_systemd = 252;
  std::vector<Entry> entries = {};
  std::vector<Structure> structures = {};  ///< SMBIOS; cloud-hypervisor's API: at most one
  std::vector<FwCfgItem> fw_cfg = {};
  std::vector<OemEntry> initrd = {};     ///< /.extra/system_credentials/GUEST.cred
  std::vector<OemEntry> reference = {};  ///< fetched by the agent over the link
  /// `systemd.set_credential=` on the guest's kernel line, which every process there can read: static values, and the
  /// link's token, which is spent before the first of them runs. Only where a VMM has nothing better.
  std::vector<OemEntry> kernel_line = {};
  /// The value of `vmm.notify_socket`, one more static credential: "vsock-stream:2:PORT". Empty: systemd is not asked
  /// to say anything (before 254 it cannot be told to use a stream), or there is no vsock that ends in a socket of
  /// ours.
  std::string notify_socket = {};
  std::vector<Budget> budgets = {};
  std::vector<Remark> remarks = {};
  [[nodiscard]] bool deliverable() const;
};

/// Plans all credentials of `vm`. `sizes` gives the bytes of each secret by host name; one that is missing there is
/// planned as of unknown size (nothing is refused for it that another size would allow). The token of the link
/// (`vmcred.link`) is planned as one more secret with the host name "vmcred.link" when `with_link`.
struct PlanInput {
  const declare::Vm& vm;
  const std::map<std::string, std::size_t>& sizes;
  bool with_link = false;
  bool with_reference = false;  ///< the supervisor can hand values over the link (needs with_link)
  bool own_devices = true;      ///< the launch makes the vm's devices: it is no command line of others
  std::string vmm_version =
      {};  ///< of the VMM's program, as probed ("52.0"); empty: not known, the tightest limits hold
};
Plan make_plan(const PlanInput& input);

/// The first reason why `plan` cannot be delivered, as an error with its remedy (and the number of further ones).
Result<> check_deliverable(const Plan& plan);

}  // namespace vmcred::credential
