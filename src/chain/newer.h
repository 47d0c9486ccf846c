// Which credentials of a running vm have a newer value than the one that it took, told by times alone: no key is
// needed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "declare/model.h"
#include "store/repository.h"

namespace vmcred::chain {

/// Host names, sorted. A value is newer that came to be in the store, or below `activated` on this host ("": not looked
/// at), or in the file that is its source, after the vm took its values at `taken_unix_ms`. What has no such time is
/// not named.
std::vector<std::string> newer_than_taken(const declare::Declaration& declaration, const declare::Vm& vm,
                                          const store::Repository& repository, const std::string& activated,
                                          std::int64_t taken_unix_ms);

}  // namespace vmcred::chain
