// The Nix front end: a NixOS-style module file, evaluated by the `nix` of this machine, gives the JSON declaration.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace vmcred::declare {

/// The world as the evaluation sees it. Nothing here is read by the library itself.
struct NixSettings {
  std::string search_path;             ///< where nix-instantiate is looked for
  std::string cache_folder = {};       ///< evaluations are kept here; empty: they are not
  std::string machine = {};            ///< --machine; empty: networking.hostName, else the only one of the store
  std::string host_name = {};          ///< the last resort for the machine's name
  std::string nixpkgs = {};            ///< --nixpkgs: use the module system of this nixpkgs
  std::string flake = {};              ///< --flake REF#HOST: nixosConfigurations.HOST of this flake
};

/// A file of a Nix declaration, by its name.
[[nodiscard]] bool is_nix(const std::string& file);

/// What the evaluation of a file gave.
struct NixEvaluation {
  Json declaration;                ///< of the shape of vmcred.json
  Json places;                     ///< JSON pointer -> [file, line, column], as far as they are known
  bool cached = false;             ///< nix was not started
};

/// Evaluates `file`. Without nixpkgs the project's own small module evaluator is used; packages are stand-ins then.
///
/// `unavailable`: nix is not installed. `invalid_data`: it does not evaluate; the message has file and line.
Result<NixEvaluation> evaluate_nix(const std::string& file, const NixSettings& settings);

}  // namespace vmcred::declare
