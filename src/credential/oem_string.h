// OEM strings as systemd reads them: `io.systemd.credential[.binary]:NAME=VALUE` (systemd's src/core/import-creds.c).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "base/secret.h"

namespace vmcred::credential {

inline constexpr std::string_view kTextPrefix = "io.systemd.credential:";
inline constexpr std::string_view kBinaryPrefix = "io.systemd.credential.binary:";

enum class Form : std::uint8_t { text, binary };

/// The bytes that one credential takes in a structure, its NUL included.
[[nodiscard]] std::size_t oem_string_cost(Form form, std::string_view name, std::size_t value_size);

inline constexpr std::string_view kKernelPrefix = "systemd.set_credential=";

/// The bytes that `"systemd.set_credential=NAME:VALUE"` takes on a kernel line, a space included.
[[nodiscard]] std::size_t kernel_word_cost(std::string_view name, std::size_t value_size);
/// Printable ASCII without quotes and backslashes.
[[nodiscard]] bool fits_kernel_line(std::string_view value);

/// A credential string taken apart, borrowed from it.
struct CredentialString {
  Form form = Form::text;
  std::string_view name;
  std::string_view value;  ///< still base64 in the binary form
};
/// Nothing when `text` has neither prefix or no '='.
[[nodiscard]] std::optional<CredentialString> read_credential_string(std::string_view text);
[[nodiscard]] bool has_credential_prefix(std::string_view text);
/// `io.systemd.credential:vmm.notify_socket=…`, which hypervisors' runners add by themselves; an address, no secret.
[[nodiscard]] bool is_notify_socket(std::string_view text);

}  // namespace vmcred::credential
