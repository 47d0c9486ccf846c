#include "signatures/trust.h"

#include <algorithm>
#include <cstdlib>

#include "base/file.h"
#include "declare/load.h"
#include "store/signing_files.h"
#include "terminal/ask.h"

namespace vmcred::app {
namespace {

constexpr const char* kDeployedName = "vmcred.json";

std::string absolute(const std::string& folder) {
  const std::unique_ptr<char, decltype(&std::free)> path(::realpath(folder.c_str(), nullptr), std::free);
  return path ? std::string(path.get()) : folder;
}

}  // namespace

Result<bool> signatures_demanded(const std::string& folder, const World& world) {
  TRY_LET(const auto trusted, store::own_trusted_signers(world.environment));
  if (!trusted) return false;
  TRY_LET(const std::set<std::string> exempt, store::unsigned_projects(world.environment));
  const std::string path = absolute(folder);
  return std::ranges::none_of(exempt, [&](const std::string& line) { return line == path || absolute(line) == path; });
}

Result<std::shared_ptr<const store::Signatures>> own_signatures(const std::string& folder, const World& world) {
  TRY_LET(auto trusted, store::own_trusted_signers(world.environment));
  if (!trusted)
    return hint(fail(Errc::not_found, "you trust nobody's signatures: there is no '{}/trusted-signers'",
                     store::signing_folder(world.environment)),
                "run 'vmcred signatures keygen'");
  TRY_LET(auto key, store::own_signing_key(world.environment));
  return std::make_shared<const store::Signatures>(
      *std::move(trusted), std::move(key), *world.clock,
      fmt::format("a project that is signed nowhere, such as one that clan writes, is read "
                  "unsigned once the line '{}' stands in {}/unsigned-projects",
                  absolute(folder), store::signing_folder(world.environment)));
}

Result<> end_exemption(const std::string& folder, const World& world) {
  TRY_LET(const bool ended, store::forget_unsigned_project(world.environment, absolute(folder)));
  if (ended)
    note(world, "this project is no longer among your unsigned-projects: its signatures are demanded from now on");
  return {};
}

Result<store::Repository> open_store(const std::string& folder, const World& world) {
  TRY_LET(store::Repository repository, store::Repository::open(folder));
  repository.use_plugins(store::plugins_of(world.environment, plugin_prompts()));
  TRY_LET(const bool demanded, signatures_demanded(folder, world));
  if (!demanded) return repository;
  TRY_LET(auto signatures, own_signatures(folder, world));
  repository.demand(std::move(signatures));
  return repository;
}

HostTrust host_trust(const std::string& prefix) {
  const std::string top = prefix.empty() ? prefix : absolute(prefix);
  return {.signers = top + "/etc/vmcred/trusted-signers", .last = top + "/var/lib/vmcred/last-manifest"};
}

Result<std::optional<store::Proven>> prove_on_host(const std::string& folder, const HostTrust& trust,
                                                   const World& world) {
  TRY_LET(const auto trusted, store::read_trusted_signers(trust.signers));
  if (!trusted) return std::nullopt;
  TRY_LET(const store::LastManifest last, store::read_last_manifest(trust.last));
  TRY_LET(store::Proven proven, store::prove_project(folder, world.machine, *trusted, last, world.clock->now()));
  return proven;
}

Result<declare::Declaration> proven_declaration(const std::string& folder, const store::Proven& proven) {
  TRY_LET(store::Repository repository, store::Repository::open(folder));
  repository.demand(store::proof_by(proven.manifest));
  TRY_LET(const std::string text, repository.read_proven(kDeployedName, declare::kMaxDeclaration));
  return declare::parse_json_declaration(text, join_path(folder, kDeployedName));
}

Result<> check_declaration(const declare::Declaration& declaration, const store::Proven& proven) {
  TRY_LET(const declare::Declaration named, proven_declaration(declaration.folder, proven));
  const auto text = [](const declare::Declaration& one) { return dump_json(declare::to_json(one)); };
  if (declaration.file != join_path(declaration.folder, kDeployedName) || text(named) == text(declaration)) return {};
  return hint(fail(Errc::mismatch, "'{}' was changed while it was read", declaration.file), "run the command again");
}

}  // namespace vmcred::app
