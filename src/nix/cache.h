// Evaluations on disk, by the content of what they were made from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "base/sha256.h"

namespace vmcred::nix {

/// A kept evaluation: `reads` are files that only the evaluation itself could name, with their content at that time.
struct Kept {
  Json declaration;
  Json places;
  Json guests;
};

/// The evaluation kept for `key`, when every file that it read is still the same. A damaged entry is none.
std::optional<Kept> find_kept(const std::string& folder, const Digest& key);

/// Keeps one. The folder is made with mode 0700; the oldest entries go when there are too many.
Result<> keep(const std::string& folder, const Digest& key, const Kept& kept, const std::vector<std::string>& reads);

/// "sha256:…" of a file, "absent", or "folder": what an entry remembers of a read file.
std::string state_of_file(const std::string& path);

}  // namespace vmcred::nix
