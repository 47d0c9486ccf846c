// The words of a kernel's command line.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vmcred::declare {

/// As systemd splits it (extract_first_word() with quotes): a quote holds a word, or the value of one, together.
std::vector<std::string> kernel_words(std::string_view line);

/// True for "systemd.set_credential=…" and "systemd.set_credential_binary=…", "-" and "_" alike
/// (kernel-command-line(7)).
bool sets_credential(std::string_view word);

/// The name of the first credential that the line sets ("" where it has none), or nothing.
std::optional<std::string> credential_on_kernel_line(std::string_view line);

}  // namespace vmcred::declare
