// The declaration that a command works on: --nix FILE, or what lies in the project folder, in whatever form.
#pragma once

#include "command.h"
#include "declare/load.h"

namespace vmcred::app {

/// The declaration of the project folder, or of --nix FILE. Every command gets it from here, so that --nix, --machine
/// and a host.nix in the folder work everywhere.
Result<declare::Declaration> load_project(const World& world);

/// What a declaration covers: a Nix configuration is of one host, and says nothing of others.
struct Loaded {
  declare::Declaration declaration;
  std::string host = {};  ///< the only machine that it declares; empty: it declares all of the project
};

/// Loaded::host of a declaration that load_project gave.
std::string host_of(const World& world, const declare::Declaration& declaration);

/// The same for a command that needs scripts, of `machines` (none: of all). In a clan repository, which has no
/// declaration of ours, its flake is evaluated where that takes no network; else only what its trees hold is known, and
/// that is said.
Result<Loaded> load_with_scripts(const World& world, const std::vector<std::string>& machines);

/// The services of a vm's guest, whole, where the declaration is a Nix file; null elsewhere.
Result<Json> guest_services_of(const World& world, const std::string& vm);

/// Where the user's cache keeps `what` ("nix"); "" where there is no such place. Everything in it can be made anew.
std::string cache_folder(const World& world, std::string_view what);

/// What the evaluation of Nix files may use of this world.
nix::Settings nix_settings(const World& world);

/// The same with its problems beside it, for `check`.
Result<declare::Reading> load_project_leniently(const World& world);

}  // namespace vmcred::app
