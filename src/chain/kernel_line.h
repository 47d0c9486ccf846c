// What stands on a kernel's command line, which everybody in the guest reads in /proc/cmdline.
#pragma once

#include <string_view>
#include <vector>

#include "chain/finding.h"

namespace vmcred::chain {

/// Credentials on it, and what looks like a secret beside them, which is a finding of `code`.
void judge_kernel_line(std::string_view line, const declare::Place& place, Code code, std::vector<Finding>& findings);

/// The line says systemd.import_credentials=no: nothing that the machine offers is taken. Where something is offered, a
/// finding.
void judge_import(std::string_view line, const declare::Place& place, bool offered, std::vector<Finding>& findings);

}  // namespace vmcred::chain
