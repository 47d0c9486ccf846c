// Findings for people, for programs and for code scanning (SARIF 2.1.0).
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "chain/finding.h"

namespace vmcred::chain {

/// Like a compiler: place, level, message and code; the line itself with a caret below; the remedy.
std::string findings_text(const std::vector<Finding>& findings, bool color);

/// {"findings": [{code, level, file, line, column, message, hint}]}
Json findings_json(const std::vector<Finding>& findings);

/// One run of SARIF 2.1.0 with a rule for each code that occurs.
Json findings_sarif(const std::vector<Finding>& findings, const std::string& version);

/// Applies the edits of all findings; gives how many findings it mended. A place that does not hold what the edit
/// expects is left alone. Each file is replaced in one step and keeps its mode.
Result<std::size_t> apply_edits(const std::vector<Finding>& findings);

}  // namespace vmcred::chain
