#include "project.h"

#include <unistd.h>

#include <array>

#include "base/file.h"
#include "base/process.h"

namespace vmcred::app {
namespace {

constexpr std::size_t kMaxHostName = 64;

/// What nix may know of our environment: where things are, nothing secret.
constexpr std::array<std::string_view, 8> kForNix{"PATH", "HOME", "USER", "NIX_PATH", "NIX_REMOTE", "NIX_SSL_CERT_FILE",
                                                  "XDG_CACHE_HOME", "XDG_CONFIG_HOME"};

std::string host_name() {
  std::array<char, kMaxHostName + 1> name{};
  if (::gethostname(name.data(), kMaxHostName) != 0) return "localhost";
  const std::string whole = name.data();
  return whole.substr(0, whole.find('.'));
}

/// The machine of a store that knows only one, else this one.
std::string only_machine(const std::string& project) {
  for (const char* where : {"sops/machines", "vars/per-machine"}) {
    const auto names = list_folder(join_path(project, where));
    if (names && names->size() == 1) return names->front();
  }
  return host_name();
}

}  // namespace

nix::Settings nix_settings(const World& world) {
  nix::Settings settings;
  const std::string path = world.env("PATH");
  settings.search_path = path.empty() ? std::string(kSystemPath) : path;
  for (const std::string_view name : kForNix) {
    if (const std::string value = world.env(name); !value.empty()) settings.environment.push_back(fmt::format("{}={}", name, value));
  }
  if (const std::string cache = world.env("XDG_CACHE_HOME"); cache.starts_with('/')) {
    settings.cache_folder = cache + "/vmcred/nix";
  } else if (const std::string home = world.env("HOME"); home.starts_with('/')) {
    settings.cache_folder = home + "/.cache/vmcred/nix";
  }
  settings.machine = world.machine;
  settings.only_machine = only_machine(world.project);
  settings.nixpkgs = world.nixpkgs;
  settings.flake = world.flake;
  return settings;
}

Result<declare::Declaration> load_project(const World& world) {
  if (world.nix.empty() && world.flake.empty()) return declare::load(world.project, nix_settings(world));
  return declare::load_nix(world.nix.empty() ? world.flake : world.nix, world.project, nix_settings(world));
}

Result<declare::Reading> load_project_leniently(const World& world) {
  if (world.nix.empty() && world.flake.empty()) return declare::load_leniently(world.project, nix_settings(world));
  return declare::load_nix_leniently(world.nix.empty() ? world.flake : world.nix, world.project, nix_settings(world));
}

}  // namespace vmcred::app
