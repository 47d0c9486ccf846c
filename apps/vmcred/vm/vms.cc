#include "vm/vms.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include "base/file.h"
#include "base/spelling.h"
#include "project/project.h"
#include "signatures/trust.h"
#include "store/repository.h"
#include "supervise/control.h"
#include "terminal/ask.h"
#include "vm/backends.h"

namespace vmcred::app {
namespace {

constexpr std::chrono::milliseconds kAnswerLimit{3000};
/// Of a VMM's configuration file.
constexpr std::size_t kMaxConfig = 1024 * 1024;
constexpr std::array kExposures = {std::pair(std::string_view("snapshot"), vmm::Exposure::snapshot),
                                   std::pair(std::string_view("migration"), vmm::Exposure::migration),
                                   std::pair(std::string_view("coredump"), vmm::Exposure::coredump)};

/// The keys of whoever runs us: the operator's, else (on a host) the machine's own.
Result<store::KeyRing> own_keys(const World& world) {
  TRY_LET(store::KeyRing keys, operator_keys(world));
  if (!keys.empty() || ::geteuid() != 0) return keys;
  auto host = store::KeyRing::of_host(world.environment);
  if (!host && host.error().code == Errc::not_found)
    host.error().hint +=
        "; as an operator put your own into ~/.config/sops/age/keys.txt or name its file in SOPS_AGE_KEY_FILE";
  return host;
}

/// How a vm's secrets are decrypted from the store.
Result<supervise::Decrypt> store_source(const declare::Declaration& declaration, const declare::Vm& vm,
                                        const World& world) {
  const bool needs_keys = std::ranges::any_of(vm.credentials, [](const declare::Credential& credential) {
    return std::holds_alternative<declare::VarRef>(credential.from);
  });
  TRY_LET(store::Repository opened, open_store(declaration.folder, world));
  if (::geteuid() == 0 && opened.proof() == nullptr) {
    TRY_LET(auto proven, prove_on_host(declaration.folder, host_trust(""), world));
    if (proven) TRY(check_declaration(declaration, *proven));
    if (proven) opened.demand(store::proof_by(std::move(proven->manifest)));
  }
  const auto repository = std::make_shared<const store::Repository>(std::move(opened));
  const auto keys = std::make_shared<store::KeyRing>();
  if (needs_keys) {
    TRY_LET(*keys, own_keys(world));
  }
  return [repository, keys, &declaration, &vm](const declare::Credential& credential) -> Result<Secret> {
    if (const auto* const path = std::get_if<std::string>(&credential.from)) {
      return read_secret(*path, supervise::kMaxCredential);
    }
    const auto& ref = std::get<declare::VarRef>(credential.from);
    TRY_LET(const store::VarId id, store::resolve_for_vm(declaration, ref, vm));
    return repository->read_var(id, *keys);
  };
}

Result<supervise::Secrets> secrets_from_store(const declare::Declaration& declaration, const declare::Vm& vm,
                                              const World& world) {
  TRY_LET(const supervise::Decrypt decrypt, store_source(declaration, vm, world));
  return supervise::decrypt_credentials(vm, decrypt);
}

/// A VMM would say it too, in its own words and only after the secrets were decrypted.
Result<> check_boot_files(const declare::Vm& vm) {
  for (const auto& [what, path] :
       {std::pair<const char*, const std::string&>{"kernel", vm.kernel}, {"initrd", vm.initrd}}) {
    if (path.empty() || exists(path)) continue;
    return hint(fail(Errc::not_found, "vm '{}' has no {}: there is no '{}'", vm.name, what, path),
                fmt::format("put it there, or change the vm's {} in the declaration", what));
  }
  return {};
}

supervise::RunRequest request_for(const declare::Vm& vm, const vmm::Backend& backend, const StartOptions& options,
                                  const World& world) {
  return {.vm = vm,
          .backend = backend,
          .places = runtime_places(world),
          .notifier = supervise::Notifier(world.env("NOTIFY_SOCKET")),
          .observer = options.observer,
          .accel = options.accel,
          .receipt_limit = options.receipt_limit,
          .start_limit = options.start_limit,
          .exposed = options.exposed};
}

supervise::SecretSource secrets_of(const declare::Declaration& declaration, const declare::Vm& vm, const World& world) {
  return [&declaration, &vm, &world] {
    const std::string unit_credentials = world.env("CREDENTIALS_DIRECTORY");
    return unit_credentials.empty() ? secrets_from_store(declaration, vm, world)
                                    : supervise::read_credentials(vm, unit_credentials);
  };
}

/// What a runner's VMM may want of our environment. Never all of it: keys of the store and the way to systemd stand
/// there.
std::vector<std::string> environment_for_vmm(const World& world) {
  std::vector<std::string> environment;
  for (const char* const name : {"PATH", "HOME", "USER", "LANG", "TERM", "TMPDIR", "DISPLAY", "WAYLAND_DISPLAY",
                                 "XDG_RUNTIME_DIR", "PULSE_SERVER"}) {
    const std::string value = world.env(name);
    if (!value.empty()) environment.push_back(std::string(name) + "=" + value);
  }
  return environment;
}

}  // namespace

Result<const declare::Vm*> find_vm(const declare::Declaration& declaration, const std::string& name) {
  if (const auto found = declaration.vms.find(name); found != declaration.vms.end()) return &found->second;
  std::vector<std::string> names;
  for (const auto& [known, vm] : declaration.vms) names.push_back(known);
  return hint(fail(Errc::not_found, "no vm '{}' in '{}'", name, declaration.file), near_or_known(name, names));
}

Result<std::set<std::string>> known_vms(const World& world, declare::Declaration& declaration) {
  std::set<std::string> names;
  auto loaded = load_project(world);
  if (loaded) {
    declaration = *std::move(loaded);
    for (const auto& [name, vm] : declaration.vms) names.insert(name);
  } else if (loaded.error().code != Errc::not_found) {
    return std::unexpected(std::move(loaded).error());
  }
  for (const std::string& root : supervise::runtime_roots(runtime_places(world))) {
    const auto found = list_folder(root);
    if (!found) continue;  // no folder: nothing runs there
    for (const std::string& name : *found)
      if (!running_places(world, name).empty()) names.insert(name);
  }
  return names;
}

supervise::RuntimePlaces runtime_places(const World& world) {
  return {.unit = world.env("RUNTIME_DIRECTORY"),
          .user = world.env("XDG_RUNTIME_DIR"),
          .own = world.env("VMCRED_RUNTIME_DIR"),
          .root = ::geteuid() == 0};
}

std::vector<RunningPlace> running_places(const World& world, const std::string& name) {
  std::vector<RunningPlace> places;
  for (const std::string& root : supervise::runtime_roots(runtime_places(world))) {
    const std::string folder = join_path(root, name);
    struct stat status = {};
    if (::stat(folder.c_str(), &status) != 0) continue;
    auto client = supervise::ControlClient::connect(folder);
    if (!client && (client.error().code == Errc::not_found || client.error().code == Errc::unavailable)) continue;
    if (!client && !supervise::is_held(folder)) continue;
    RunningPlace& place = places.emplace_back();
    place.folder = folder;
    place.by = status.st_uid == ::geteuid() ? "you"
               : status.st_uid == 0         ? "root"
                                            : fmt::format("uid {}", status.st_uid);
    if (client) place.client = *std::move(client);
  }
  return places;
}

Result<supervise::Status> status_at(RunningPlace& place) {
  if (!place.client) return fail(Errc::denied, "it runs, and is not yours: {} runs it", place.by);
  TRY_LET(const Json answer, place.client->ask(Json::object().set("do", "status"), kAnswerLimit));
  return supervise::read_status(answer);
}

Result<std::optional<supervise::Status>> running_status(const World& world, const std::string& name) {
  std::vector<RunningPlace> places = running_places(world, name);
  if (places.empty()) return std::nullopt;
  TRY_LET(supervise::Status status, in(fmt::format("vm '{}'", name), status_at(places.front())));
  return status;
}

supervise::Available activated_secrets(const declare::Declaration& declaration, const declare::Vm& vm,
                                       const std::string& folder) {
  return supervise::available_credentials(vm, [&](const declare::Credential& credential) -> Result<Secret> {
    if (const auto* const path = std::get_if<std::string>(&credential.from)) {
      return read_secret(*path, supervise::kMaxCredential);
    }
    const auto& ref = std::get<declare::VarRef>(credential.from);
    TRY_LET(const store::VarId id, store::resolve_for_vm(declaration, ref, vm));
    return read_secret(join_path(folder, store::rel_path(id)), supervise::kMaxCredential);
  });
}

Result<supervise::Available> present_secrets(const declare::Declaration& declaration, const declare::Vm& vm,
                                             const World& world) {
  const std::string activated = "/run/vmcred/vars";
  if (::geteuid() == 0 && is_folder(activated)) return activated_secrets(declaration, vm, activated);
  TRY_LET(const supervise::Decrypt decrypt, store_source(declaration, vm, world));
  return supervise::available_credentials(vm, decrypt);
}

Result<declare::Accel> read_accel(const std::string& text) {
  if (text == "auto") return declare::Accel::automatic;
  if (text == "kvm") return declare::Accel::kvm;
  if (text == "tcg") return declare::Accel::tcg;
  return hint(fail(Errc::usage, "no acceleration '{}'", text), "one of auto, kvm, tcg");
}

Result<supervise::Outcome> run_declared_vm(const declare::Declaration& declaration, const declare::Vm& vm,
                                           const StartOptions& options, const World& world) {
  TRY(check_boot_files(vm));
  TRY_LET(const vmm::Backend* const backend, find_backend(vm));
  return supervise::run_vm(request_for(vm, *backend, options, world), secrets_of(declaration, vm, world));
}

Result<supervise::Outcome> run_foreign_vm(const declare::Declaration& declaration, const declare::Vm& vm,
                                          vmm::Foreign foreign, const StartOptions& options, const World& world) {
  TRY_LET(const vmm::Backend* const backend, recognise(foreign));
  const std::string config = backend->config_file != nullptr ? backend->config_file(foreign) : "";
  if (!config.empty()) {
    TRY_LET(foreign.config, read_file(config, kMaxConfig));
  }
  supervise::RunRequest request = request_for(vm, *backend, options, world);
  request.vmm_environment = environment_for_vmm(world);
  return supervise::run_foreign(request, foreign, secrets_of(declaration, vm, world));
}

Result<std::vector<vmm::Exposure>> read_exposures(const std::vector<std::string>& words) {
  std::vector<vmm::Exposure> exposed;
  for (const std::string& word : words) {
    const auto known =
        std::ranges::find(kExposures, std::string_view(word), [](const auto& pair) { return pair.first; });
    if (known == kExposures.end()) {
      return hint(fail(Errc::usage, "'{}' cannot be exposed", word), "one of snapshot, migration, coredump");
    }
    exposed.push_back(known->second);
  }
  return exposed;
}

}  // namespace vmcred::app
