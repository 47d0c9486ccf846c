// How large the secrets of a vm are, from wherever that can be known without writing anything.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "declare/model.h"

namespace vmcred::app {

/// Bytes by host name, from the store (no key is needed for that), else from the activated values. What cannot be known
/// is left out.
std::map<std::string, std::size_t> credential_sizes(const declare::Declaration& declaration, const declare::Vm& vm);

}  // namespace vmcred::app
