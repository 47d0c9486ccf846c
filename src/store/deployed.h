// What `deploy` left on a host is no whole project: one machine's values, without users, links and records.
#pragma once

#include <optional>
#include <string>

#include "store/repository.h"

namespace vmcred::store {

/// The machine whose values were deployed here; "" where that is not known. Empty for a whole project.
std::optional<std::string> deployed_machine(const Repository& repository);

}  // namespace vmcred::store
