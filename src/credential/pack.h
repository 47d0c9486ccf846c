// Packing OEM strings into type-11 structures: as few as first-fit decreasing finds, each within one page where its
// strings allow it, so that a guest older than declared still receives them whole.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "credential/item.h"

namespace vmcred::credential {

struct Packing {
  std::vector<std::vector<const Item*>> structures;  ///< strings of one structure by guest name
  std::size_t bytes = 0;                             ///< of all structures, raw
};

/// Packs all `items`; one that is larger than a page gets a structure of its own. The result depends only on names and
/// sizes, not on the order of `items`.
Packing pack(std::span<const Item* const> items);

/// Header, strings and the final NUL.
std::size_t raw_size(std::span<const Item* const> strings);

}  // namespace vmcred::credential
