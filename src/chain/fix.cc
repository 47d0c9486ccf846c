// `check --fix`: the edits of findings, applied to the files that they name.
#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "chain/lines.h"
#include "chain/report.h"
#include "declare/load.h"

namespace vmcred::chain {
namespace {

struct Planned {
  std::size_t at = 0;  ///< of the text inside the quotes
  std::size_t length = 0;
  std::string to;
  std::size_t finding = 0;
};

/// Where the quoted `from` stands in `text`; nothing when something else stands there.
std::optional<std::size_t> locate(std::string_view text, const Edit& edit) {
  std::size_t start = 0;
  for (int line = 1; line < edit.place.line; ++line) {
    const std::size_t end = text.find('\n', start);
    if (end == std::string_view::npos) return {};
    start = end + 1;
  }
  const std::string_view line = text.substr(start, text.find('\n', start) - start);
  const Span span = span_at(line, edit.place.column);
  if (span.bytes != edit.from.size() + 2 || line.substr(span.begin + 1, edit.from.size()) != edit.from) return {};
  return start + span.begin + 1;
}

Result<> apply_to(const std::string& file, const std::vector<Finding>& findings, std::set<std::size_t>& mended) {
  TRY_LET(std::string text, read_file(file, declare::kMaxDeclaration));
  std::vector<Planned> planned;
  for (std::size_t i = 0; i < findings.size(); ++i) {
    for (const Edit& edit : findings[i].edits) {
      if (edit.place.file != file) continue;
      const auto at = locate(text, edit);
      if (!at) continue;
      const bool taken = std::ranges::any_of(planned, [&](const Planned& other) { return other.at == *at; });
      if (!taken) planned.push_back({*at, edit.from.size(), edit.to, i});
    }
  }
  if (planned.empty()) return {};
  std::ranges::sort(planned, std::greater(), &Planned::at);
  for (const Planned& each : planned) {
    text.replace(each.at, each.length, each.to);
    mended.insert(each.finding);
  }
  struct stat status{};
  if (::stat(file.c_str(), &status) != 0) return fail_errno("look at '{}'", file);
  return write_file(file, text, status.st_mode & 07777U);
}

}  // namespace

Result<std::size_t> apply_edits(const std::vector<Finding>& findings) {
  std::set<std::string> files;
  for (const Finding& each : findings)
    for (const Edit& edit : each.edits)
      if (edit.place.line > 0) files.insert(edit.place.file);
  std::set<std::size_t> mended;
  for (const std::string& file : files) TRY(in("mend the declaration", apply_to(file, findings, mended)));
  return mended.size();
}

}  // namespace vmcred::chain
