// Whether the tree names a machine as a reader of a value, also where the value itself cannot be opened.
#pragma once

#include <string>

#include "store/access.h"
#include "store/repository.h"

namespace vmcred::store {

/// By the links of the secret; where it has none (in what was deployed) by its recipients and the machine's key. What
/// neither can tell (a damaged file, a key that is not there) is yes: the declaration asks for the value.
bool names_reader(const Repository& repository, Principals& principals, const VarId& id, const std::string& machine);

/// The name of the project's only user, where his one key is all that reads it besides machines; "" where there are
/// others, or nobody.
std::string only_user(Principals& principals);

}  // namespace vmcred::store
