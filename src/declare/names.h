// The names of the chain: what may be called how, and how the guide's rule derives one name from another.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace vmcred::declare {

inline constexpr std::size_t kMaxCredentialName = 255;
inline constexpr std::string_view kHostPrefix = "host-";

/// systemd's credential_name_valid(): 1 to 255 bytes of 0x20..0x7e without '/' and ':', not "." or "..".
[[nodiscard]] bool valid_credential_name(std::string_view name);

/// A credential name that can also travel as an OEM string, which ends the name at the first '='.
[[nodiscard]] bool valid_guest_name(std::string_view name);

/// `vmm.notify_socket` and `vmcred.*` belong to the hypervisor and to vmcred.
[[nodiscard]] bool reserved_credential_name(std::string_view name);

/// `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`
[[nodiscard]] bool valid_vm_name(std::string_view name);
/// As clan's, in lower case; never holds a '/', so a var id is never a machine name.
[[nodiscard]] bool valid_machine_name(std::string_view name);

/// Names of generators, files and prompts become file names: 1 to 255 bytes of UTF-8 without '/', control characters,
/// "." and "..", and not one of the files that stand beside them (`.validation-hash`, `.vmcred.json`).
[[nodiscard]] bool valid_var_name(std::string_view name);

/// An exception from the options of a VMM that vmcred knows: NAME, NAME= or NAME=TYPE, without blanks and commas.
[[nodiscard]] bool valid_allowed_option(std::string_view word);
inline constexpr std::string_view kAllowedOptionHint =
    "write NAME for one without a value, NAME= for one with any value, NAME=TYPE for one type of it";

/// The name without its `host-`, `-` to `_`, upper case: `host-api-key` and `api-key` both give `API_KEY`.
[[nodiscard]] std::string guest_name_of(std::string_view name);
/// `api-key` -> `host-api-key`
[[nodiscard]] std::string host_name_of(std::string_view name);
/// `host-api-key` -> `api-key`; a name without the prefix stays.
[[nodiscard]] std::string short_name_of(std::string_view host);
/// A short name for a guest name that was declared without one: `ENVIRONMENT` -> `environment`, `A_B` -> `a-b`.
[[nodiscard]] std::string short_name_of_guest(std::string_view guest);

}  // namespace vmcred::declare
