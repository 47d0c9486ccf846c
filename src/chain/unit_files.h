// Unit files on disk, with the drop-ins that systemd reads beside them; and which of them belong together.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "unitfile/syntax.h"

namespace vmcred::chain {

/// The unit file `path` with all drop-ins that systemd reads for it; a folder of drop-ins; or, for a folder such as
/// /etc/systemd/system, all units in it that start processes, with theirs. Beside one of systemd's own folders, below
/// whatever root, its other ones are looked at for drop-ins, and for the files of units of which there are drop-ins
/// alone. Files larger than kMaxUnit are refused, as are more than kMaxUnits of them.
inline constexpr std::size_t kMaxUnit = 4UL * 1024 * 1024;
inline constexpr std::size_t kMaxUnits = 10000;
Result<std::vector<unitfile::UnitText>> read_units(const std::string& path);

struct UnitOfFiles {
  std::string name;
  std::vector<unitfile::UnitText> files;  ///< in systemd's order
};
/// The files of each unit, given in any order. What has no unit file of its own has its template's; drop-ins that
/// belong to no unit given stand for one.
std::vector<UnitOfFiles> files_of_units(const std::vector<unitfile::UnitText>& files);

}  // namespace vmcred::chain
