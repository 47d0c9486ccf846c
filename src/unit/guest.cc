#include "unit/guest.h"

#include <algorithm>
#include <set>

#include "unit/escape.h"

namespace vmcred::unit {
namespace {

/// The first systemd that can give a service new credentials when it is reloaded.
constexpr int kRefreshesOnReload = 260;

/// Whether the agent is to reload the service when one of its credentials changes.
bool is_reloaded(const declare::Vm& vm, const declare::GuestService& service) {
  return std::ranges::any_of(vm.credentials, [&](const declare::Credential& credential) {
    return credential.on_change == declare::OnChange::reload &&
           std::ranges::any_of(service.load_credential, [&](const auto& pair) { return pair.second == credential.guest; });
  });
}

Result<std::string> drop_in_text(const declare::Vm& vm, const std::string& service, const declare::GuestService& declared) {
  std::string asserts;
  std::string loads;
  std::set<std::string> asserted;
  for (const auto& [id, guest] : declared.load_credential) {
    TRY_LET(const std::string left,
            credential_id(id, fmt::format("the credential name '{}' of service '{}'", id, service)));
    TRY_LET(const std::string right,
            setting_value(guest, fmt::format("the guest credential '{}' of service '{}'", guest, service)));
    loads += fmt::format("LoadCredential={}:{}\n", left, right);
    // A condition takes '!' and '|' at its beginning for itself.
    const bool writable = !guest.starts_with('!') && !guest.starts_with('|');
    if (writable && asserted.insert(guest).second) asserts += fmt::format("AssertCredential={}\n", right);
  }
  // On an older systemd the agent itself puts the new values where the running service reads them.
  if (vm.guest.systemd >= kRefreshesOnReload && is_reloaded(vm, declared)) loads += "RefreshOnReload=credentials\n";
  return fmt::format("{}\n\n[Unit]\n{}\n[Service]\n{}PrivateMounts=yes\n", kMark, asserts, loads);
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
