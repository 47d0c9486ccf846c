// Making foreign secrets vars: the owners of their keys become users and machines, the values are sealed for the same
// keys.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "adopt/foreign.h"
#include "store/publish.h"
#include "store/repository.h"

namespace vmcred::adopt {

/// What the caller knows better than the files.
struct Wishes {
  std::map<std::string, std::string> machines =
      {};  ///< "web": the key that is called so is a machine's; a key: it is web's
  std::map<std::string, std::string> names =
      {};              ///< by source, what a secret shall be called: "NAME" or "GENERATOR/FILE"
  bool widen = false;  ///< who is `unproven` becomes a reader as well
};

/// One file of a generator to be declared.
struct AdoptedFile {
  std::string name;
  bool secret = true;
  bool empty = false;
};

/// One generator to be declared. All of its files have the same readers.
struct Adopted {
  std::string generator;
  std::vector<std::string> machines = {};  ///< that read it; none: it is not deployed
  std::vector<AdoptedFile> files = {};
  bool known = false;  ///< other files of it are stored already
};

/// What will be done, worked out and encrypted in memory: nothing was written.
struct Adoption {
  std::vector<Adopted> generators = {};
  std::vector<std::string> users = {};     ///< that are added
  std::vector<std::string> machines = {};  ///< that are added
  std::vector<std::string> kept = {};      ///< vars that are stored already: left alone, as "GENERATOR/FILE"
  std::vector<LeftOut> left_out = {};
  std::vector<std::string> notes = {};
  std::vector<store::FolderChange> changes = {};
  [[nodiscard]] std::size_t count() const;
};

/// Readers are exactly those of before. Names, keys and plugins are tried before anything else: a secret that cannot be
/// taken over is left out with the reason and what to do. A wish that belongs to nothing is `usage`.
Result<Adoption> plan_adoption(const store::Repository& repository, Found found, const Wishes& wishes);

/// Stores it in one step.
Result<> carry_out(const store::Repository& repository, const store::Lock& lock, const Adoption& adoption);

enum class Language : std::uint8_t { toml, nix };
/// The declaration of what was adopted, to be put into vmcred.toml or host.nix. `undeclared`: machines that have to be
/// declared too. `host`: whose configuration a host.nix is; what other machines alone read is written as a comment. ""
/// where it is not known.
std::string declaration_text(const Adoption& adoption, Language language, const std::vector<std::string>& undeclared,
                             const std::string& host);

}  // namespace vmcred::adopt
