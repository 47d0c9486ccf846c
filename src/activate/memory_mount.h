// The file system that holds plaintext on a host: memory that is never written to swap.
#pragma once

#include <string>

#include "base/result.h"

namespace vmcred::activate {

/// Makes `path` a mount of tmpfs with noswap (Linux 6.4) or of ramfs, unless it is one already. Needs root.
Result<> mount_memory(const std::string& path);

/// Whether `path` is on such a file system.
Result<bool> never_swapped(const std::string& path);

}  // namespace vmcred::activate
