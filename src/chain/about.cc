#include "chain/about.h"

#include <algorithm>
#include <iterator>

namespace vmcred::chain {
namespace {

/// Units, command lines and domains of others are texts as well.
constexpr Code kOfDeclarations[] = {
    Code::invalid_declaration,
    Code::not_loaded,
    Code::not_injected,
    Code::no_host_prefix,
    Code::wrong_guest_name,
    Code::open_mode,
    Code::collision,
    Code::reserved_name,
    Code::bad_name,
    Code::unknown_reference,
    Code::over_budget,
    Code::no_channel,
    Code::secret_in_static,
    Code::generator_name,
    Code::unconsumed,
    Code::plan_remark,
    Code::relative_load_credential,
    Code::import_credential_too_old,
    Code::refresh_too_old,
    Code::no_private_mounts,
    Code::secret_in_unit,
    Code::ignored_credential_line,
    Code::credential_twice,
    Code::secret_on_command_line,
    Code::fw_cfg_name_too_long,
    Code::smbios_ignored,
    Code::too_much_for_a_page,
    Code::split_at_commas,
    Code::path_overrun,
    Code::on_kernel_command_line,
    Code::secret_in_domain,
    Code::encrypted_for_a_user,
    Code::lost_credential,
    Code::smbios_mode_missing,
    Code::secret_in_configuration,
};

}  // namespace

About about(Code code) {
  return std::ranges::find(kOfDeclarations, code) != std::end(kOfDeclarations) ? About::declaration : About::host;
}

std::string_view about_name(About about) { return about == About::declaration ? "declaration" : "host"; }

}  // namespace vmcred::chain
