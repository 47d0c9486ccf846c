// Which settings give a unit's processes a mount namespace of their own, in which credentials of others do not show.
#pragma once

#include <string_view>
#include <vector>

#include "unitfile/syntax.h"

namespace vmcred::unitfile {

/// Whether systemd of that version makes one, by the settings of all files of `unit` in their order
/// (src/core/execute.c, exec_needs_mount_namespace(), of 252, 255, 257 and 260; unit.c for what DynamicUser= brings
/// along).
bool makes_mount_namespace(const std::vector<Setting>& settings, std::string_view unit, int systemd);

}  // namespace vmcred::unitfile
