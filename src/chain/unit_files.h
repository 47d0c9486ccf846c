// Unit files on disk, with the drop-ins that systemd reads beside them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "chain/check.h"

namespace vmcred::chain {

/// The unit file `path` with the drop-ins in `path`.d; or, for a folder such as /etc/systemd/system, all services in it
/// with theirs (other kinds of unit load no credentials). Files larger than kMaxUnit are refused, as is a folder with
/// more than kMaxUnits of them.
inline constexpr std::size_t kMaxUnit = 4UL * 1024 * 1024;
inline constexpr std::size_t kMaxUnits = 10000;
Result<std::vector<UnitText>> read_units(const std::string& path);

}  // namespace vmcred::chain
