#include "project.h"

namespace vmcred::app {
namespace {

Result<> without_nix(const World& world) {
  if (world.nix.empty()) return {};
  return hint(fail(Errc::unavailable, "this build reads no Nix declarations"), "write vmcred.toml or vmcred.json");
}

}  // namespace

Result<declare::Declaration> load_project(const World& world) {
  TRY(without_nix(world));
  return declare::load(world.project);
}

Result<declare::Reading> load_project_leniently(const World& world) {
  TRY(without_nix(world));
  return declare::load_leniently(world.project);
}

}  // namespace vmcred::app
