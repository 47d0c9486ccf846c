#include "chain/finding.h"

#include <fmt/core.h>

#include <algorithm>
#include <tuple>

namespace vmcred::chain {
namespace {

constexpr CodeInfo kCodes[] = {
    {Code::invalid_declaration, Level::error, "the declaration cannot be read as it stands"},
    {Code::not_loaded, Level::error, "credential-files names a credential that load-credential does not load"},
    {Code::not_injected, Level::warning, "a credential is loaded on the host and never injected"},
    {Code::no_host_prefix, Level::warning, "a host credential has no 'host-' prefix"},
    {Code::wrong_guest_name, Level::error, "a guest service loads a name that the vm does not receive"},
    {Code::not_generated, Level::error, "a declared value was never generated"},
    {Code::open_mode, Level::warning, "the mode of a secret lets others read it, or its owner not"},
    {Code::collision, Level::error, "two credentials of one vm have the same name"},
    {Code::reserved_name, Level::error, "a credential has a reserved name"},
    {Code::bad_name, Level::error, "a name is not one that systemd or the store can hold"},
    {Code::unknown_reference, Level::error, "something is named that is not declared"},
    {Code::over_budget, Level::error, "a credential does not fit into what the declared guest can receive"},
    {Code::no_channel, Level::error, "the hypervisor has no way to deliver credentials to this guest"},
    {Code::secret_in_static, Level::error, "a static value looks like a secret"},
    {Code::socket_name_too_long, Level::error, "the names of unit and credential are too long for a socket source"},
    {Code::generator_name, Level::note, "a generator does not bear the name of its vm"},
    {Code::unconsumed, Level::note, "no guest service loads a credential"},
    {Code::readable_source, Level::warning, "the file that a credential comes from can be read by others"},
    {Code::plan_remark, Level::warning, "the delivery plan warns"},
    {Code::stale, Level::warning, "a value is older than what it is made from"},
    {Code::orphaned, Level::warning, "a stored value is not declared"},
    {Code::due, Level::warning, "a value is older than its rotate-after"},
    {Code::recipients_drifted, Level::error, "who can decrypt a secret is not who should"},
    {Code::open_secret, Level::error, "a declared secret is stored as plain text"},
    {Code::plaintext_in_tree, Level::error, "a file of the project holds a key or a token"},
    {Code::damaged, Level::error, "a stored value cannot be read"},
    {Code::relative_load_credential, Level::warning,
     "a relative LoadCredential= that systemd skips silently when it is missing"},
    {Code::import_credential_too_old, Level::error, "ImportCredential= is unknown to the guest's systemd"},
    {Code::refresh_too_old, Level::warning, "RefreshOnReload= is unknown to the guest's systemd"},
    {Code::no_private_mounts, Level::warning, "a service that loads credentials has no PrivateMounts="},
    {Code::secret_in_unit, Level::error, "a unit file holds a secret"},
    {Code::ignored_credential_line, Level::error, "systemd ignores a credential line"},
    {Code::credential_twice, Level::warning, "a unit loads two credentials under one name"},
    {Code::secret_on_command_line, Level::error, "a command line holds a credential's value"},
    {Code::fw_cfg_name_too_long, Level::error, "a credential's name is too long for fw_cfg"},
    {Code::smbios_ignored, Level::error, "OEM strings are given to a machine that has no SMBIOS"},
    {Code::too_much_for_a_page, Level::error, "more OEM strings than the guest's systemd reads"},
    {Code::split_at_commas, Level::error, "the hypervisor's parser cuts a value"},
    {Code::path_overrun, Level::warning, "an option with a known memory fault"},
    {Code::on_kernel_command_line, Level::error, "a credential on the kernel's command line"},
    {Code::secret_in_domain, Level::error, "a libvirt domain holds a credential's value"},
    {Code::unit_credential_failed, Level::error, "a unit cannot load a credential"},
    {Code::unit_credential_absent, Level::warning, "systemd starts a unit without a credential that it does not find"},
    {Code::unit_credentials_too_large, Level::error, "a unit loads more than systemd hands to a service"},
    {Code::unit_failed, Level::error, "a unit failed"},
    {Code::leaked_value, Level::error, "a process shows an activated value"},
    {Code::exposed_by_process, Level::warning, "a process's environment holds what looks like a secret"},
    {Code::swap_on, Level::warning, "this machine can write memory to a swap device"},
    {Code::core_dumps, Level::warning, "a hypervisor may leave a core file"},
    {Code::swappable_credentials, Level::error, "credentials lie where they can be swapped out"},
    {Code::version_trap, Level::warning, "a version with a known trap"},
    {Code::kvm_hangs, Level::error, "/dev/kvm opens, and does not run guests"},
    {Code::no_kvm, Level::note, "guests run without KVM"},
    {Code::no_vsock, Level::note, "this machine has no vsock for guests"},
    {Code::clock_behind, Level::warning, "this machine's clock is behind"},
    {Code::open_key, Level::error, "others can read a private key"},
    {Code::no_key, Level::error, "this machine has no key to decrypt with"},
    {Code::not_activated, Level::warning, "this machine's vars are not activated"},
    {Code::outdated_guest, Level::warning, "a running guest has older values than the store"},
    {Code::shared_user, Level::error, "several vms run as one user"},
    {Code::not_looked_at, Level::note, "something could not be looked at"},
    {Code::guest_kernel, Level::warning, "the guest's kernel hides what the machine offers"},
    {Code::guest_confidential, Level::error, "a confidential vm ignores what its host offers"},
    {Code::guest_prefix, Level::warning, "an OEM string is nearly a credential"},
    {Code::guest_not_taken, Level::error, "what the machine offers is not what arrived"},
    {Code::guest_offered_twice, Level::warning, "a credential is offered twice"},
    {Code::guest_shadowed, Level::warning, "a file of a credstore is never read"},
    {Code::guest_too_many, Level::warning, "more credentials than their file system holds"},
    {Code::guest_swappable, Level::warning, "a guest's credentials may be swapped out"},
    {Code::guest_link, Level::error, "the link to the host cannot work"},
    {Code::guest_nothing, Level::error, "systemd was given no credentials at boot"},
    {Code::guest_access_list, Level::warning, "a service's credential has a mode that programs refuse"},
    {Code::script_memory, Level::note, "the memory limit of generator scripts is not the kernel's here"},
    {Code::not_loaded_in_guest, Level::warning,
     "a credential arrived in a running guest, and its service did not load it"},
    {Code::no_boot_file, Level::error, "a vm's kernel or initrd is not there"},
    {Code::no_hypervisor, Level::error, "a vm's hypervisor is not installed"},
    {Code::one_reader, Level::note, "secrets have a single user as their reader"},
    {Code::access_taken_away, Level::warning, "a value was readable by somebody who may not read it any more"},
    {Code::encrypted_for_a_user, Level::error,
     "a user's service has an encrypted credential that its systemd does not open"},
    {Code::image_not_looked_into, Level::note, "what an image brings along is not looked into"},
    {Code::lost_credential, Level::error, "a credential is given and does not arrive"},
    {Code::smbios_mode_missing, Level::error, "a libvirt domain does not give its OEM strings to the guest"},
    {Code::secret_in_configuration, Level::error, "a hypervisor's configuration holds a secret"},
};

}  // namespace

std::string_view level_name(Level level) {
  constexpr std::string_view kNames[] = {"note", "warning", "error"};
  return kNames[static_cast<std::size_t>(level)];
}

std::span<const CodeInfo> codes() { return kCodes; }

const CodeInfo& info(Code code) { return *std::ranges::find(kCodes, code, &CodeInfo::code); }

std::string code_name(Code code) { return fmt::format("VC{:03}", static_cast<unsigned>(code)); }

Finding finding(Code code, declare::Place place, std::string message, std::string hint) {
  return {.code = code,
          .level = info(code).level,
          .place = std::move(place),
          .message = std::move(message),
          .hint = std::move(hint)};
}

void sort_findings(std::vector<Finding>& findings) {
  std::ranges::stable_sort(findings, [](const Finding& a, const Finding& b) {
    return std::tie(a.place.file, a.place.line, a.place.column, a.code) <
           std::tie(b.place.file, b.place.line, b.place.column, b.code);
  });
}

bool any_findings(const std::vector<Finding>& findings) {
  return std::ranges::any_of(findings, [](const Finding& each) { return each.level != Level::note; });
}

}  // namespace vmcred::chain
