// Filling a new generation's folder: what is read goes in, and of what cannot be read the last good values stay.
#pragma once

#include <string>
#include <vector>

#include "activate/generation.h"

namespace vmcred::activate {

inline constexpr mode_t kFolderMode = 0751;  // who knows a name may go to it, only root lists names

/// Fills the folder `root` from `items`, on all cores, and says how it differs from the generation before ("" when
/// there is none). Items that cannot be had are named in `published.failed`; see publish_generation for what stays of
/// them.
Result<> fill(const std::string& root, const std::string& before, const std::vector<Item>& items, Published& published);

/// All files below `root`/`below`, relative to `root`.
Result<> collect_files(const std::string& root, const std::string& below, std::vector<std::string>& files);

}  // namespace vmcred::activate
