// Making foreign secrets vars: the owners of their keys become users and machines, the values are sealed for the same keys.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "adopt/foreign.h"
#include "store/publish.h"
#include "store/repository.h"
#include "store/vault.h"

namespace vmcred::adopt {

/// What the caller knows better than the files.
struct Wishes {
  std::vector<std::string> machines = {};  ///< names whose keys are machines'
  std::string machine = {};                ///< who gets secrets that no machine could read so far
};

/// One generator to be declared.
struct Adopted {
  std::string generator;
  bool shared = false;
  std::vector<std::string> machines = {};
  std::vector<std::string> files = {};
  std::set<std::string> empty = {};  ///< those of the files that hold nothing
};

struct Adoption {
  std::vector<Adopted> generators = {};
  std::vector<std::string> users = {};     ///< that were added
  std::vector<std::string> machines = {};  ///< that were added
  std::vector<std::string> kept = {};      ///< vars that are stored already: left alone, as "GENERATOR/FILE"
  std::vector<std::string> paths = {};     ///< what changed below the project folder, for git
};

/// Stores everything that was found; each generator in one step. Readers are exactly those of before.
Result<Adoption> adopt(const store::Repository& repository, const store::Lock& lock, Found found, const Wishes& wishes);

enum class Language : std::uint8_t { toml, nix };
/// The declaration of what was adopted, to be put into vmcred.toml or host.nix.
std::string declaration_text(const Adoption& adoption, Language language);

}  // namespace vmcred::adopt
