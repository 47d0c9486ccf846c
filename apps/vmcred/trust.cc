#include "trust.h"

#include <cstdlib>

#include "ask.h"
#include "base/file.h"
#include "declare/load.h"

namespace vmcred::app {
namespace {

std::string absolute(const std::string& folder) {
  const std::unique_ptr<char, decltype(&std::free)> path(::realpath(folder.c_str(), nullptr), std::free);
  return path ? std::string(path.get()) : folder;
}

}  // namespace

Result<bool> signatures_demanded(const std::string& folder, const World& world) {
  TRY_LET(const auto trusted, store::own_trusted_signers(world.environment));
  if (!trusted) return false;
  if (world.flake.empty() && declare::find_declaration(folder)) return true;
  TRY_LET(const std::set<std::string> signed_ones, store::signed_projects(world.environment));
  return signed_ones.contains(absolute(folder));
}

Result<std::shared_ptr<const store::Signatures>> own_signatures(const World& world) {
  TRY_LET(auto trusted, store::own_trusted_signers(world.environment));
  if (!trusted)
    return hint(fail(Errc::not_found, "you trust nobody's signatures: there is no '{}/trusted-signers'",
                     store::signing_folder(world.environment)),
                "run 'vmcred signatures keygen'");
  TRY_LET(auto key, store::own_signing_key(world.environment));
  return std::make_shared<const store::Signatures>(*std::move(trusted), std::move(key), *world.clock);
}

Result<> remember_signing(const std::string& folder, const World& world) {
  return store::remember_signed_project(world.environment, absolute(folder));
}

Result<store::Repository> open_store(const std::string& folder, const World& world) {
  TRY_LET(store::Repository repository, store::Repository::open(folder));
  repository.use_plugins(store::plugins_of(world.environment, plugin_prompts()));
  TRY_LET(const bool demanded, signatures_demanded(folder, world));
  if (!demanded) return repository;
  TRY_LET(auto signatures, own_signatures(world));
  repository.demand(std::move(signatures));
  return repository;
}

HostTrust host_trust(const std::string& prefix) {
  return {.signers = prefix + "/etc/vmcred/trusted-signers", .last = prefix + "/var/lib/vmcred/last-manifest"};
}

Result<std::optional<store::Proven>> prove_on_host(const std::string& folder, const HostTrust& trust, const World& world) {
  TRY_LET(const auto trusted, store::read_trusted_signers(trust.signers));
  if (!trusted) return std::nullopt;
  TRY_LET(const store::LastManifest last, store::read_last_manifest(trust.last));
  TRY_LET(store::Proven proven, store::prove_project(folder, world.machine, *trusted, last, world.clock->now()));
  return proven;
}

}  // namespace vmcred::app
