#include "project/project.h"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <memory>

#include "base/file.h"
#include "base/process.h"
#include "declare/load_generators.h"
#include "store/inferred.h"

namespace vmcred::app {
namespace {

constexpr std::size_t kMaxHostName = 64;

/// What nix may know of our environment: where things are, nothing secret.
constexpr std::array<std::string_view, 12> kForNix{"PATH",           "HOME",
                                                   "USER",           "NIX_PATH",
                                                   "NIX_REMOTE",     "NIX_SSL_CERT_FILE",
                                                   "XDG_CACHE_HOME", "XDG_CONFIG_HOME",
                                                   "NIX_STORE_DIR",  "NIX_STATE_DIR",
                                                   "NIX_LOG_DIR",    "NIX_CONF_DIR"};

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

/// A clan repository has no declaration of ours, and needs none.
bool without_declaration(const World& world) {
  return !declare::find_declaration(world.project) && store::holds_store(world.project);
}

Result<declare::Declaration> from_tree(const World& world) {
  note(world,
       "no declaration here: what vars/ and sops/ hold is known, scripts are not (--flake REF#HOST evaluates them)");
  return store::inferred_declaration(world.project);
}

/// The host of the flake in the project folder that is asked for, or the only one that the trees know.
Result<Loaded> from_flake_or_tree(const World& world, const std::vector<std::string>& machines) {
  const std::vector<std::string> known =
      list_folder(join_path(world.project, "sops/machines")).value_or(std::vector<std::string>());
  const std::vector<std::string>& candidates = machines.empty() ? known : machines;
  const std::unique_ptr<char, decltype(&std::free)> folder(::realpath(world.project.c_str(), nullptr), std::free);
  if (candidates.size() == 1 && folder && exists(join_path(folder.get(), "flake.nix"))) {
    nix::Settings settings = nix_settings(world);
    settings.machine = candidates.front();
    settings.flake = fmt::format("{}#{}", folder.get(), candidates.front());
    settings.offline = true;
    auto declaration = declare::load_nix(settings.flake, world.project, settings);
    if (declaration) return Loaded{*std::move(declaration), candidates.front()};
    note(world, fmt::format("the flake here was not evaluated: {}", declaration.error().message));
  }
  TRY_LET(declare::Declaration declaration, from_tree(world));
  return Loaded{std::move(declaration)};
}

Result<declare::Declaration> without_problems(Result<declare::Reading> reading) {
  if (!reading) return std::unexpected(std::move(reading).error());
  if (!reading->problems.empty()) return std::unexpected(declare::to_error(reading->problems));
  return std::move(reading->declaration);
}

bool in_nix(const World& world) {
  return !world.nix.empty() || !world.flake.empty() || !declare::nix_file_of(world.project).empty();
}

}  // namespace

std::string cache_folder(const World& world, std::string_view what) {
  if (const std::string cache = world.env("XDG_CACHE_HOME"); cache.starts_with('/'))
    return fmt::format("{}/vmcred/{}", cache, what);
  if (const std::string home = world.env("HOME"); home.starts_with('/'))
    return fmt::format("{}/.cache/vmcred/{}", home, what);
  return {};
}

nix::Settings nix_settings(const World& world) {
  nix::Settings settings;
  const std::string path = world.env("PATH");
  settings.search_path = path.empty() ? std::string(kSystemPath) : path;
  for (const std::string_view name : kForNix) {
    if (const std::string value = world.env(name); !value.empty())
      settings.environment.push_back(fmt::format("{}={}", name, value));
  }
  settings.cache_folder = cache_folder(world, "nix");
  settings.machine = world.machine;
  settings.only_machine = only_machine(world.project);
  settings.nixpkgs = world.nixpkgs;
  settings.flake = world.flake;
  return settings;
}

Result<declare::Declaration> load_project(const World& world) {
  return without_problems(load_project_leniently(world));
}

std::string host_of(const World& world, const declare::Declaration& declaration) {
  return in_nix(world) && declaration.machines.size() == 1 ? declaration.machines.begin()->first : "";
}

Result<Loaded> load_with_scripts(const World& world, const std::vector<std::string>& machines) {
  if (world.nix.empty() && world.flake.empty() && without_declaration(world))
    return from_flake_or_tree(world, machines);
  auto reading = load_project_leniently(world);
  if (!reading && reading.error().code == Errc::invalid_data && in_nix(world)) {
    // A vm may load what is to be generated only now, and does not evaluate before.
    const std::string file = !world.nix.empty()     ? world.nix
                             : !world.flake.empty() ? world.flake
                                                    : declare::nix_file_of(world.project);
    if (auto generators = declare::load_generators(file, world.project, nix_settings(world))) {
      note(world, fmt::format("the vms do not evaluate yet: {}", reading.error().message));
      reading = std::move(generators);
    }
  }
  Loaded loaded;
  TRY_LET(loaded.declaration, without_problems(std::move(reading)));
  loaded.host = host_of(world, loaded.declaration);
  return loaded;
}

Result<declare::Reading> load_project_leniently(const World& world) {
  if (!world.nix.empty() || !world.flake.empty())
    return declare::load_nix_leniently(world.nix.empty() ? world.flake : world.nix, world.project, nix_settings(world));
  auto reading = declare::load_leniently(world.project, nix_settings(world));
  if (reading || reading.error().code != Errc::not_found || !without_declaration(world)) return reading;
  TRY_LET(declare::Declaration declaration, from_tree(world));
  return declare::Reading{.declaration = std::move(declaration)};
}

Result<Json> guest_services_of(const World& world, const std::string& vm) {
  const std::string file = world.nix.empty() ? declare::nix_file_of(world.project) : world.nix;
  if (file.empty() || !world.flake.empty() || !world.nixpkgs.empty()) return Json();
  nix::Settings settings = nix_settings(world);
  const std::unique_ptr<char, decltype(&std::free)> path(::realpath(file.c_str(), nullptr), std::free);
  const std::unique_ptr<char, decltype(&std::free)> folder(::realpath(world.project.c_str(), nullptr), std::free);
  if (!path || !folder) return fail_errno("open '{}'", file);
  settings.folder = folder.get();
  TRY_LET(const nix::Evaluation evaluation, nix::evaluate(path.get(), settings));
  const Json* services = evaluation.guests.find(vm);
  return services == nullptr ? Json() : *services;
}

}  // namespace vmcred::app
