// A report as frames, and back, with every limit of receipt.h checked.
#pragma once

#include <functional>
#include <optional>

#include "link/receipt.h"
#include "link/wire.h"

namespace vmcred::link {

/// Gives the frames of a report in order. A report over the limits is `usage`; nothing was given then.
Result<> write_report(const Report& report, const std::function<void(Type, std::string)>& give);

/// Puts a report together again.
class ReportReader {
 public:
  /// Takes one frame of the report_* types. Gives the report with its last frame; what is out of order, malformed or
  /// over a limit is `invalid_data`.
  Result<std::optional<Report>> take(Type type, Bytes payload);

 private:
  std::optional<Report> report_;
  std::size_t output_bytes_ = 0;
};

}  // namespace vmcred::link
