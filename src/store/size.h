// How large a stored value is, told without any key.
#pragma once

#include <cstddef>
#include <optional>

#include "store/repository.h"

namespace vmcred::store {

/// Bytes of a stored value: AES-GCM's ciphertext is as long as what it hides. Empty when the value is not stored or its
/// file is damaged.
std::optional<std::size_t> stored_size(const Repository& repository, const VarId& id);

}  // namespace vmcred::store
