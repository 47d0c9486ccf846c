// The folders in which systemd keeps credentials, and what stands in them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "base/secret.h"

namespace vmcred::guest {

inline constexpr std::size_t kMaxCredential = 1024 * 1024;  ///< systemd's CREDENTIAL_SIZE_MAX
inline constexpr const char* kSystemFolder = "/run/credentials/@system";
inline constexpr const char* kRunStore = "/run/credstore";

/// Where services look for what an agent puts in place: @system; where PID 1 received nothing at boot it does not know
/// that folder, but a credstore is looked into at every start of a service (systemd 252 and later).
std::string present_folder();

/// A folder of credentials; `encrypted` ones must be decrypted before use.
struct Folder {
  std::string path;
  Fd fd;
  bool encrypted = false;
};

/// The service's own folders ($CREDENTIALS_DIRECTORY, $ENCRYPTED_CREDENTIALS_DIRECTORY) or the system's; encrypted
/// first, as systemd-creds looks. Folders that do not exist are left out. The environment's must be absolute.
Result<std::vector<Folder>> open_folders(bool system);

/// /run/credstore alone, where it is there.
Result<std::vector<Folder>> open_run_store();

struct Credential {
  std::string name;
  std::string path;
  std::string secure;  ///< "secure" (never swapped), "weak", "insecure" (others may read it), "encrypted"
  std::uint64_t size = 0;
};
/// In the order in which the folder gives them, as systemd-creds lists them.
Result<std::vector<Credential>> credentials_in(const Folder& folder);

/// 1 to 255 bytes of printable ASCII without '/' and ':', and not "." or "..".
[[nodiscard]] bool is_credential_name(std::string_view name);

Result<Secret> read_credential(const Folder& folder, const std::string& name);

/// "3B", "2.9K": as systemd writes sizes.
std::string size_text(std::uint64_t bytes);

/// `text` without spaces, tabs and line ends, as systemd's decoders skip them.
Secret without_space(std::string_view text);

}  // namespace vmcred::guest
