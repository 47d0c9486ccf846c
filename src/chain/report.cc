#include "chain/report.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "base/file.h"
#include "base/foreign_text.h"
#include "chain/about.h"
#include "chain/lines.h"
#include "declare/problem.h"

namespace vmcred::chain {
namespace {

struct Paint {
  bool on;
  [[nodiscard]] std::string bold(std::string_view text) const {
    return on ? fmt::format("\x1b[1m{}\x1b[0m", text) : std::string(text);
  }
  [[nodiscard]] std::string level(Level value) const {
    const std::string_view name = level_name(value);
    if (!on) return std::string(name);
    const int color = value == Level::error ? 31 : value == Level::warning ? 33 : 36;
    return fmt::format("\x1b[1;{}m{}\x1b[0m", color, name);
  }
};

/// Findings that say that a secret stands there, or whose line may well hold one: it is the last thing to print.
bool about_a_secret(const Finding& each) {
  switch (each.code) {
    case Code::secret_in_static:
    case Code::plaintext_in_tree:
    case Code::secret_in_unit:
    case Code::secret_on_command_line:
    case Code::secret_in_domain:
    case Code::secret_in_configuration:
    case Code::lost_credential:
    case Code::fw_cfg_name_too_long:
    case Code::on_kernel_command_line:
      return true;
    case Code::ignored_credential_line:
      return each.message.contains("SetCredential");
    default:
      return false;
  }
}

/// An OEM string with a mistyped prefix: what stands behind it is perhaps a secret.
bool about_an_oem_string(const Finding& each) {
  return each.code == Code::invalid_declaration && each.message.contains("oem-strings");
}

/// The line of the finding with a caret below what is meant.
std::string excerpt(Sources& sources, const Finding& each) {
  if (about_a_secret(each) || about_an_oem_string(each)) return {};
  const std::optional<std::string> line = sources.line(each.place);
  if (!line) return {};
  const std::string number = std::to_string(each.place.line);
  const Span span = span_at(*line, each.place.column);
  std::string marks(span.columns_before, ' ');
  marks += '^' + std::string(span.columns > 1 ? span.columns - 1 : 0, '~');
  return fmt::format(" {} | {}\n {} | {}\n", number, shown_line(*line), std::string(number.size(), ' '), marks);
}

}  // namespace

std::string findings_text(const std::vector<Finding>& findings, bool color) {
  const Paint paint{color};
  std::string text;
  Sources sources;
  std::size_t counts[3] = {};
  for (const Finding& each : findings) {
    ++counts[static_cast<std::size_t>(each.level)];
    const std::string where = printable(declare::where(each.place));
    if (!where.empty()) text += paint.bold(where) + ": ";
    text += fmt::format("{}: {} [{}]\n", paint.level(each.level), printable(each.message), code_name(each.code));
    text += excerpt(sources, each);
    for (const std::string& detail : each.details) text += fmt::format("  {}\n", printable(detail));
    if (!each.hint.empty()) text += fmt::format("  {}: {}\n", paint.bold("help"), printable(each.hint));
  }
  if (findings.empty()) return "no findings\n";
  const auto count = [&](Level level, std::string_view one) {
    const std::size_t n = counts[static_cast<std::size_t>(level)];
    return n == 0 ? std::string() : fmt::format("{} {}{}", n, one, n == 1 ? "" : "s");
  };
  std::string sum;
  for (const std::string& part :
       {count(Level::error, "error"), count(Level::warning, "warning"), count(Level::note, "note")})
    if (!part.empty()) sum += (sum.empty() ? "" : ", ") + part;
  return text + sum + "; 'vmcred check --describe CODE' explains one\n";
}

Json findings_json(const std::vector<Finding>& findings) {
  Json list = Json::array();
  for (const Finding& each : findings) {
    Json json = Json::object();
    json.set("code", code_name(each.code))
        .set("level", std::string(level_name(each.level)))
        .set("about", std::string(about_name(about(each.code))))
        .set("file", each.place.file);
    json.set("line", each.place.line).set("column", each.place.column);
    if (!each.place.pointer.empty()) json.set("pointer", each.place.pointer);
    json.set("message", each.message).set("hint", each.hint);
    if (!each.details.empty()) json.set("details", Json::strings(each.details));
    json.set("fixable", !each.edits.empty());
    list.push(std::move(json));
  }
  return Json::object().set("findings", std::move(list));
}

}  // namespace vmcred::chain
