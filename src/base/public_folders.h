// Folders that others pass through, such as /run/vmcred: what stands in them protects itself.
#pragma once

#include <string>

#include "base/result.h"

namespace vmcred {

/// mkdir -p with mode 0755, whatever the umask is; existing folders keep their mode.
Result<> make_public_folders(const std::string& path);

}  // namespace vmcred
