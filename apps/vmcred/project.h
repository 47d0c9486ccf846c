// The declaration that a command works on: --nix FILE, or what lies in the project folder, in whatever form.
#pragma once

#include "command.h"
#include "declare/load.h"

namespace vmcred::app {

/// The declaration of the project folder, or of --nix FILE. Every command gets it from here, so that --nix, --machine
/// and a host.nix in the folder work everywhere.
Result<declare::Declaration> load_project(const World& world);

/// The services of a vm's guest, whole, where the declaration is a Nix file; null elsewhere.
Result<Json> guest_services_of(const World& world, const std::string& vm);

/// What the evaluation of Nix files may use of this world.
nix::Settings nix_settings(const World& world);

/// The same with its problems beside it, for `check`.
Result<declare::Reading> load_project_leniently(const World& world);

}  // namespace vmcred::app
