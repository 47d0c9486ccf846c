// What this guest holds, as a report for the host.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "link/receipt.h"

namespace vmcred::guest {

struct ReportOptions {
  std::uint64_t generation = 1;
  std::vector<std::pair<std::string, std::string>> outputs = {};  ///< (unit, file with what it printed)
};

/// Reads everything and hashes it with `receipt_key`. What cannot be read becomes a notice, never a failure.
link::Report make_report(Bytes receipt_key, const ReportOptions& options);

}  // namespace vmcred::guest
