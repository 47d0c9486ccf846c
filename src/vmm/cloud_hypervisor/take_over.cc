#include "vmm/cloud_hypervisor/take_over.h"

#include <algorithm>

#include "base/base64.h"
#include "credential/oem_string.h"
#include "shape/secret_shape.h"

namespace vmcred::vmm::cloud_hypervisor {
namespace {

constexpr std::string_view kWhere = "'--platform oem_strings'";

Result<std::string> value_of(const credential::CredentialString& read) {
  if (read.form == credential::Form::text) return std::string(read.value);
  auto value = base64_decode(read.value);
  if (!value) {
    return hint(fail(Errc::usage, "'{}' in {} is no base64, so systemd would not read it", read.name, kWhere),
                "write io.systemd.credential:NAME=VALUE");
  }
  return value;
}

Result<> check_public(const std::string& name, const std::string& value) {
  if (!shape::looks_like_secret(value, name)) return {};
  return hint(
      fail(Errc::usage, "the value of '{}' in {} looks like a secret, and everybody reads it there", name, kWhere),
      "declare it as a credential of the vm: from = \"GENERATOR/FILE\"; if it is public, value = \"…\" with public = "
      "true");
}

}  // namespace

Result<> take_over(declare::Vm& vm, const std::string& text) {
  if (!credential::has_credential_prefix(text) || credential::is_notify_socket(text)) {
    vm.long_form.oem_strings.push_back(text);
    return {};
  }
  const auto read = credential::read_credential_string(text);
  if (!read || read->name.empty()) {
    return hint(fail(Errc::usage, "a credential in {} has no name or no value, so systemd would not read it", kWhere),
                "write io.systemd.credential:NAME=VALUE");
  }
  declare::Credential credential = {.name = std::string(read->name), .host = {}, .guest = std::string(read->name)};
  TRY_LET(credential.static_value, value_of(*read));
  credential.allow_empty = true;
  const auto place = std::ranges::lower_bound(vm.credentials, credential.guest, {}, &declare::Credential::guest);
  // What the declaration says too has been looked at there. Another value of that name is the plan's to refuse.
  if (place != vm.credentials.end() && place->guest == credential.guest &&
      place->static_value == credential.static_value)
    return {};
  TRY(check_public(credential.name, *credential.static_value));
  vm.credentials.insert(place, std::move(credential));
  return {};
}

}  // namespace vmcred::vmm::cloud_hypervisor
