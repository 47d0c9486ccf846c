#include "unit/guest.h"

#include <set>

#include "unit/escape.h"

namespace vmcred::unit {
namespace {

Result<std::string> drop_in_text(const std::string& service, const declare::GuestService& declared) {
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
    TRY_LET(std::string text, drop_in_text(name, service));
    const std::string unit = name.ends_with(".service") ? name : name + ".service";
    files.push_back({unit + ".d/50-vmcred.conf", std::move(text)});
  }
  return files;
}

}  // namespace vmcred::unit
