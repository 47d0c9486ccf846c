// What all command lines of others have in common: descriptors that they name, and key=value lists.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vmm/launch.h"

namespace vmcred::vmm {

/// The file name of argv[0], "" when there is none.
std::string_view program_name(const Foreign& foreign);

/// Every descriptor from 3 on that the words name: `fd=3`, `fds=3:4`, `fd=[3,4]`, `vhostfd=5`, `/dev/fd/6`,
/// `/proc/self/fd/7`; sorted, each once.
std::vector<int> named_fds(std::span<const std::string> words);

/// Moves the launch's own descriptors beyond those that the command line names, and keeps the latter.
void make_room_for_fds(Launch& launch, std::span<const std::string> words);

/// Refuses a kernel line of others that sets a credential: everybody on the host and in the guest reads it.
Result<> check_kernel_line(std::string_view line);

/// The value of `key` in "a=1,b=2" (QEMU's doubled commas undone); nothing when it is not there. With `key` empty: the
/// first element if it has no '='.
std::optional<std::string> property(std::string_view list, std::string_view key);

}  // namespace vmcred::vmm
