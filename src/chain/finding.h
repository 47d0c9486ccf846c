// A finding of `check`: a stable code, a place, a cause, a remedy, and the edit that would mend it where it is
// mechanical.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "declare/model.h"

namespace vmcred::chain {

/// Notes are advice and change no exit code.
enum class Level : std::uint8_t { note, warning, error };
std::string_view level_name(Level level);  ///< "note", "warning", "error", as in SARIF

/// The codes; each has a page in docs/findings. They never change their meaning, and a number is never used again.
enum class Code : std::uint16_t {
  invalid_declaration = 1,
  not_loaded = 2,
  not_injected = 3,
  no_host_prefix = 4,
  wrong_guest_name = 5,
  not_generated = 6,
  open_mode = 7,
  collision = 8,
  reserved_name = 9,
  bad_name = 10,
  unknown_reference = 11,
  over_budget = 12,
  no_channel = 13,
  secret_in_static = 14,
  socket_name_too_long = 15,
  generator_name = 16,
  unconsumed = 17,
  readable_source = 18,
  plan_remark = 19,
  stale = 20,
  orphaned = 21,
  due = 22,
  recipients_drifted = 23,
  open_secret = 24,
  plaintext_in_tree = 25,
  damaged = 26,
  relative_load_credential = 30,
  import_credential_too_old = 31,
  refresh_too_old = 32,
  no_private_mounts = 33,
  secret_in_unit = 34,
  ignored_credential_line = 35,
  credential_twice = 36,
  secret_on_command_line = 40,
  fw_cfg_name_too_long = 41,
  smbios_ignored = 42,
  too_much_for_a_page = 43,
  split_at_commas = 44,
  path_overrun = 45,
  on_kernel_command_line = 46,
  secret_in_domain = 50,
  // What `vmcred doctor` finds on a running host.
  unit_credential_failed = 60,
  unit_credential_absent = 61,
  unit_credentials_too_large = 62,
  unit_failed = 63,
  leaked_value = 64,
  exposed_by_process = 65,
  swap_on = 66,
  core_dumps = 67,
  swappable_credentials = 68,
  version_trap = 69,
  kvm_hangs = 70,
  no_kvm = 71,
  no_vsock = 72,
  clock_behind = 73,
  open_key = 74,
  no_key = 75,
  not_activated = 76,
  outdated_guest = 77,
  shared_user = 78,
  not_looked_at = 79,
  // What `vmcred-guest doctor` finds in a guest.
  guest_kernel = 80,
  guest_confidential = 81,
  guest_prefix = 82,
  guest_not_taken = 83,
  guest_offered_twice = 84,
  guest_shadowed = 85,
  guest_too_many = 86,
  guest_swappable = 87,
  guest_link = 88,
  guest_nothing = 89,
  guest_access_list = 90,
  script_memory = 94,
  // Of what is proven, what a host lacks, and who could read.
  not_loaded_in_guest = 103,
  no_boot_file = 104,
  no_hypervisor = 105,
  one_reader = 106,
  access_taken_away = 107,
  // What others wrote, once more.
  encrypted_for_a_user = 110,
  image_not_looked_into = 111,
  lost_credential = 112,
  smbios_mode_missing = 113,
  secret_in_configuration = 114,
};

struct CodeInfo {
  Code code;
  Level level;
  std::string_view summary;  ///< one line, for lists and SARIF rules
};
/// All codes, in their order.
std::span<const CodeInfo> codes();
const CodeInfo& info(Code code);
std::string code_name(Code code);  ///< "VC002"
/// The page docs/findings/VC0NN.md; "" for a code that does not exist. Any case.
std::string_view page(std::string_view code_name);

/// Replaces the quoted text `from` that stands at `place` by `to`.
struct Edit {
  declare::Place place;
  std::string from;
  std::string to;
};

struct Finding {
  Code code = Code::invalid_declaration;
  Level level = Level::error;
  declare::Place place = {};
  std::string message;
  std::string hint = {};
  std::vector<std::string> details = {};  ///< further lines, such as a table of bytes
  std::vector<Edit> edits = {};           ///< what --fix does; empty: nothing
  /// Where one place stands for several values: the var that is meant ("per-vm/web/g/f"), or its generator's folder.
  std::string subject = {};
};

/// A finding of that code with its usual level.
Finding finding(Code code, declare::Place place, std::string message, std::string hint = {});

/// By file, place and code.
void sort_findings(std::vector<Finding>& findings);
/// Whether anything worse than a note is in it: exit code 3.
[[nodiscard]] bool any_findings(const std::vector<Finding>& findings);

}  // namespace vmcred::chain
