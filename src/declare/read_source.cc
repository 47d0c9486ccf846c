// Where a credential comes from and what it may be called.
#include <algorithm>

#include "declare/credential_context.h"
#include "declare/names.h"
#include "declare/values.h"
#include "shape/secret_shape.h"

namespace vmcred::declare {
namespace {

constexpr std::string_view kActivated = "/run/vmcred/vars/";

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

/// /run/vmcred/vars/per-machine/M/GEN/FILE is the var GEN/FILE, when it is one of this vm's.
std::optional<VarRef> activated_var(const CredentialContext& c, std::string_view path) {
  if (!path.starts_with(kActivated)) return {};
  path.remove_prefix(kActivated.size());
  for (const auto& [name, generator] : c.declaration.generators) {
    const std::string folder = generator.sharing == Sharing::shared ? "shared/" + name
                               : generator.sharing == Sharing::per_vm
                                   ? fmt::format("per-vm/{}/{}", c.vm.name, name)
                                   : fmt::format("per-machine/{}/{}", c.vm.machine, name);
    if (path.size() <= folder.size() + 1 || !path.starts_with(folder) || path[folder.size()] != '/') continue;
    const std::string file(path.substr(folder.size() + 1));
    if (generator.files.contains(file)) return VarRef{name, file};
  }
  return {};
}

void check_var(const CredentialContext& c, const std::string& credential, const VarRef& ref, const Place& place) {
  const auto found = c.declaration.generators.find(ref.generator);
  if (found == c.declaration.generators.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, generator] : c.declaration.generators) names.push_back(name);
    return c.add(Fault::unknown_reference, place,
                 fmt::format("credential '{}': no generator '{}' is declared", credential, ref.generator),
                 names.empty() ? fmt::format("declare it as [generators.{}]", ref.generator)
                               : hint_for(ref.generator, names, "declared are"));
  }
  const Generator& generator = found->second;
  const auto file = generator.files.find(ref.file);
  if (file == generator.files.end()) {
    std::vector<std::string_view> names;
    for (const auto& [name, each] : generator.files) names.push_back(name);
    return c.add(Fault::unknown_reference, place,
                 fmt::format("credential '{}': generator '{}' has no file '{}'", credential, ref.generator, ref.file),
                 names.empty() ? "it declares no files" : hint_for(ref.file, names, "its files are"));
  }
  if (!file->second.deploy) {
    c.add(Fault::bad_value, place,
          fmt::format("credential '{}': '{}/{}' is not deployed to machines", credential, ref.generator, ref.file),
          "remove deploy = false from the file");
  }
  const bool here = generator.sharing == Sharing::per_vm ? contains(generator.vms, c.vm.name)
                                                         : contains(generator.machines, c.vm.machine);
  if (!here && !c.vm.machine.empty()) {
    const bool per_vm = generator.sharing == Sharing::per_vm;
    c.add(Fault::unknown_reference, place,
          fmt::format("credential '{}': generator '{}' is not for {} '{}'", credential, ref.generator,
                      per_vm ? "vm" : "machine", per_vm ? c.vm.name : c.vm.machine),
          fmt::format("add it to the generator's '{}'", per_vm ? "vms" : "machines"));
  }
}

}  // namespace

std::optional<Source> read_source(const CredentialContext& c, const std::string& credential, const std::string& text,
                                  const Place& place) {
  if (text.starts_with('/') && plain_text(text)) {
    const std::string path = absolute_path("/", text);
    if (const auto ref = activated_var(c, path)) return *ref;
    return path;
  }
  const std::size_t slash = text.find('/');
  if (slash == std::string::npos || slash == 0 || slash + 1 == text.size() ||
      text.find('/', slash + 1) != std::string::npos) {
    c.add(Fault::bad_value, place, fmt::format("credential '{}': '{}' is no source", credential, text),
          "GENERATOR/FILE, or an absolute path on the host");
    return {};
  }
  VarRef ref{text.substr(0, slash), text.substr(slash + 1)};
  check_var(c, credential, ref, place);
  return ref;
}

void check_names(const CredentialContext& c, const Credential& credential) {
  const auto bad = [&](std::string_view what, std::string_view name) {
    c.add(Fault::bad_name, credential.place, fmt::format("'{}' cannot be the name of a {}", name, what),
          std::string(kNameRule));
  };
  if (!valid_guest_name(credential.name)) return bad("credential", credential.name);
  if (!credential.host.empty() && !valid_credential_name(credential.host))
    return bad("host credential", credential.host);
  if (!valid_guest_name(credential.guest)) return bad("guest credential", credential.guest);
  for (const std::string_view name : {std::string_view(credential.guest), std::string_view(credential.host)}) {
    if (!reserved_credential_name(name)) continue;
    c.add(Fault::reserved_name, credential.place, fmt::format("the credential name '{}' is reserved", name),
          "vmm.notify_socket and vmcred.* are made by vmcred itself");
  }
}

void check_static(const CredentialContext& c, const Credential& credential) {
  if (credential.is_public || credential.guest == "system.machine_id") return;
  if (const auto what = shape::looks_like_secret(*credential.static_value, credential.guest)) {
    c.add(Fault::secret_in_static, credential.place,
          fmt::format("the static value of '{}' looks like a secret: {}", credential.name, *what),
          "store it: 'from = \"GENERATOR/FILE\"' and 'vmcred vars set'; if it is public, say public = true");
  }
}

}  // namespace vmcred::declare
