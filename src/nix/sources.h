// Which files an evaluation can read, found without evaluating: what the cache depends on.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "base/sha256.h"

namespace vmcred::nix {

inline constexpr std::size_t kMaxSourceFile = 4UL * 1024 * 1024;
inline constexpr std::size_t kMaxSourceFiles = 4096;
/// Larger files count by size and time alone: images and kernels that a path names.
inline constexpr std::size_t kMaxHashedFile = 1024UL * 1024;

/// What the text of the files says before anything is evaluated.
struct Sources {
  std::vector<std::string> nix_files = {};    ///< absolute, sorted: the file itself and what it and these can import
  std::vector<std::string> identifiers = {};  ///< every word that may be the name of a package, sorted
  std::string impure = {};                    ///< a word that makes the outcome depend on more than files; "" when none
  Digest digest = {};                         ///< of the names and contents of all files that literal paths name
};

/// Reads `file` and follows every literal path in it. A path that is a folder stands for all in it, so `./.` covers
/// what is put together from names; the store's own trees (vars, sops), hidden folders and what lies on another file
/// system are left out.
Result<Sources> scan_sources(const std::string& file);

/// The words of one text and the paths in it, both as they stand there. Strings and comments count too: too much is
/// harmless here.
struct Words {
  std::vector<std::string> identifiers = {};
  std::vector<std::string> paths = {};
  std::string impure = {};
};
Words words_of(std::string_view text);

}  // namespace vmcred::nix
