// Giving a generator or a machine another name, with all that is stored under the old one.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "store/publish.h"
#include "store/repository.h"

namespace vmcred::store {

/// Both give the paths that changed. No value changes and no key is needed. Stopped half-way, the same call goes on
/// where it was; nothing is unreadable in between. A name that is taken is `usage`.
Result<std::vector<std::string>> rename_generator(const Repository& repository, const Lock& lock,
                                                  const std::string& before, const std::string& after);
Result<std::vector<std::string>> rename_machine(const Repository& repository, const Lock& lock,
                                                const std::string& before, const std::string& after);

}  // namespace vmcred::store
