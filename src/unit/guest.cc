#include "unit/guest.h"

#include <algorithm>
#include <set>

#include "unit/escape.h"

namespace vmcred::unit {
namespace {

/// The first systemd that can give a service new credentials when it is reloaded.
constexpr int kRefreshesOnReload = 260;

/// The first that looks for the source of a relative LoadCredential= among what the machine received and in the
/// credstore folders (NEWS of 251), and the first that knows AssertCredential=. Before, the agent's own folder is
/// named.
constexpr int kFindsBySystem = 251;
constexpr int kAsserts = 252;
constexpr std::string_view kCredstore = "/run/credstore/";

/// Whether the agent is to reload the service when one of its credentials changes.
bool is_reloaded(const declare::Vm& vm, const declare::GuestService& service) {
  return std::ranges::any_of(vm.credentials, [&](const declare::Credential& credential) {
    return credential.on_change == declare::OnChange::reload &&
           std::ranges::any_of(service.load_credential,
                               [&](const auto& pair) { return pair.second == credential.guest; });
  });
}

/// A missing credential is otherwise silent. Where PID 1 received nothing, an agent's values are in the credstore,
/// which AssertCredential= does not see; systemd 252 and later take braces in a glob.
std::string assert_lines(const declare::Vm& vm, const std::string& guest, const std::string& written) {
  // A condition takes '!' and '|' at its beginning for itself.
  if (guest.starts_with('!') || guest.starts_with('|')) return {};
  if (!vm.guest.agent || guest.find_first_of("*?[]{}\\") != std::string::npos)
    return fmt::format("AssertCredential={}\n", written);
  return fmt::format(
      "# AssertCredential={0} would not see what the agent puts into /run/credstore.\n"
      "AssertPathExistsGlob=/run/{{credentials/@system,credstore}}/{0}\n",
      written);
}

Result<std::string> drop_in_text(const declare::Vm& vm, const std::string& service,
                                 const declare::GuestService& declared) {
  std::string asserts;
  std::string loads;
  std::set<std::string> asserted;
  for (const auto& [id, guest] : declared.load_credential) {
    TRY_LET(const std::string left,
            credential_id(id, fmt::format("the credential name '{}' of service '{}'", id, service)));
    TRY_LET(const std::string right,
            setting_value(guest, fmt::format("the guest credential '{}' of service '{}'", guest, service)));
    const bool relative = vm.guest.systemd >= kFindsBySystem;
    loads += fmt::format("LoadCredential={}:{}{}\n", left, relative ? "" : kCredstore, right);
    if (vm.guest.systemd >= kAsserts && asserted.insert(guest).second) asserts += assert_lines(vm, guest, right);
  }
  // On an older systemd the agent itself puts the new values where the running service reads them.
  if (vm.guest.systemd >= kRefreshesOnReload && is_reloaded(vm, declared)) loads += "RefreshOnReload=credentials\n";
  // Before systemd 260 an ExecReload= has no credentials of its own: in a private mount namespace it would find
  // nothing.
  const bool reads_in_reload = vm.guest.systemd < kRefreshesOnReload && is_reloaded(vm, declared);
  const std::string_view mounts =
      reads_in_reload
          ? "# No PrivateMounts=yes: before systemd 260 an ExecReload= would find no $CREDENTIALS_DIRECTORY there.\n"
          : "PrivateMounts=yes\n";
  return fmt::format("{}\n\n[Unit]\n{}\n[Service]\n{}{}", kMark, asserts, loads, mounts);
}

}  // namespace

Result<std::vector<UnitFile>> guest_drop_ins(const declare::Vm& vm) {
  std::vector<UnitFile> files;
  for (const auto& [name, service] : vm.services) {
    if (service.load_credential.empty()) continue;
    if (name.empty() || name.contains('/') || name.starts_with('.')) {
      return fail(Errc::invalid_data, "'{}' is no name of a guest service", name);
    }
    TRY_LET(std::string text, drop_in_text(vm, name, service));
    const std::string unit = name.ends_with(".service") ? name : name + ".service";
    files.push_back({unit + ".d/50-vmcred.conf", std::move(text)});
  }
  return files;
}

}  // namespace vmcred::unit
