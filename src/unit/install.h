// Unit files into a folder: what is new, what changed, what is no longer wanted.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "unit/files.h"

namespace vmcred::unit {

enum class InstallKind : std::uint8_t { added, changed, unchanged, removed };
std::string_view install_word(InstallKind kind);

struct Installed {
  std::string path;  ///< below the folder
  InstallKind kind;
  bool operator==(const Installed&) const = default;
};

/// Whose drop-ins are removed when `files` no longer has them: those of vms on a host, or those of services in a guest.
enum class Scope : std::uint8_t { host, guest };

/// Makes `folder` (such as /etc/systemd/system) hold `files`, each replaced in one step, and removes drop-ins of ours
/// that are not among them. A file of somebody else's (without our first line) in the way is `denied`, and then nothing
/// was changed.
Result<std::vector<Installed>> install_units(const std::string& folder, const std::vector<UnitFile>& files,
                                             Scope scope);

}  // namespace vmcred::unit
