// How large the secrets of a vm are, from wherever that can be known without writing anything.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "command.h"
#include "declare/model.h"

namespace vmcred::app {

/// Bytes by host name. What cannot be known (not generated, not readable here) is left out.
std::map<std::string, std::size_t> credential_sizes(const declare::Declaration& declaration, const declare::Vm& vm,
                                                    const World& world);

}  // namespace vmcred::app
