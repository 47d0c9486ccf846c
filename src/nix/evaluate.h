// Evaluates a NixOS-style module file with the `nix` of this machine: the JSON declaration comes out.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace vmcred::nix {

/// The world as the evaluation sees it; the library reads no environment.
struct Settings {
  std::string search_path;                    ///< where nix-instantiate is looked for
  std::vector<std::string> environment = {};  ///< "NAME=value" for nix: HOME, NIX_PATH and the like, nothing secret
  std::string cache_folder = {};              ///< evaluations are kept here; empty: they are not
  std::string machine = {};       ///< --machine; empty: vmcred.machine, networking.hostName, or `only_machine`
  std::string only_machine = {};  ///< the only machine that the project knows, else the host's name
  std::string folder = {};        ///< the project folder; empty: the file's
  std::string flake = {};         ///< REF#HOST: evaluate_flake() is to be used
  bool offline = false;           ///< a flake's inputs must be on this machine already; nothing is fetched
  std::string nixpkgs = {};       ///< a folder with nixpkgs: its module system and packages are used
};

/// What the evaluation gave.
struct Evaluation {
  Json declaration;       ///< of the shape of vmcred.json
  Json places;            ///< [{pointer, file, line, column}], as far as they are known
  Json guests = {};       ///< vm -> its guest's services, whole (unit/guest_service.h)
  bool cached = false;    ///< nix was not started
  bool keepable = false;  ///< nothing outside the files decides the outcome, so that it may be kept
};

/// Evaluates `file` (an absolute path). Without nixpkgs the project's own small module evaluator is used, where
/// packages are stand-ins, and nothing is built, fetched or written but the cache.
///
/// `unavailable`: nix is not installed, or took too long. `invalid_data`: it does not evaluate; the message begins with
/// file, line and column where they are known.
Result<Evaluation> evaluate(const std::string& file, const Settings& settings);

/// The same for nixosConfigurations.HOST of a flake: REF#HOST. Kept where it lies on this disk and a lock file pins its
/// inputs.
Result<Evaluation> evaluate_flake(const std::string& reference, const Settings& settings);

/// Any Nix file's value as JSON, such as agenix's secrets.nix.
Result<Json> evaluate_value(const std::string& file, const Settings& settings);

}  // namespace vmcred::nix
