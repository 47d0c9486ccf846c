// SARIF 2.1.0: findings as code scanning takes them. Apart from report.cc, because it carries the pages of all codes.
#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <set>

#include "chain/lines.h"
#include "chain/report.h"

namespace vmcred::chain {
namespace {

Json location(const Finding& each) {
  Json physical = Json::object().set("artifactLocation", Json::object().set("uri", uri_of(each.place.file)));
  if (each.place.line > 0)
    physical.set("region",
                 Json::object().set("startLine", each.place.line).set("startColumn", std::max(each.place.column, 1)));
  Json json = Json::object().set("physicalLocation", std::move(physical));
  if (!each.place.pointer.empty())
    json.set("logicalLocations", Json::array().push(Json::object().set("fullyQualifiedName", each.place.pointer)));
  return json;
}

Json rule(const CodeInfo& code) {
  const std::string name = code_name(code.code);
  return Json::object()
      .set("id", name)
      .set("shortDescription", Json::object().set("text", std::string(code.summary)))
      .set("fullDescription", Json::object().set("text", std::string(page(name))))
      .set("defaultConfiguration", Json::object().set("level", std::string(level_name(code.level))));
}

std::string whole_message(const Finding& each) {
  std::string text = each.message;
  for (const std::string& detail : each.details) text += "\n" + detail;
  if (!each.hint.empty()) text += "\n" + each.hint;
  return text;
}

}  // namespace

Json findings_sarif(const std::vector<Finding>& findings, const std::string& version) {
  std::set<Code> used;
  for (const Finding& each : findings) used.insert(each.code);
  Json rules = Json::array();
  std::map<Code, std::int64_t> index;
  for (const Code code : used) {
    index[code] = static_cast<std::int64_t>(index.size());
    rules.push(rule(info(code)));
  }
  Json results = Json::array();
  for (const Finding& each : findings) {
    results.push(Json::object()
                     .set("ruleId", code_name(each.code))
                     .set("ruleIndex", index[each.code])
                     .set("level", std::string(level_name(each.level)))
                     .set("message", Json::object().set("text", whole_message(each)))
                     .set("locations", Json::array().push(location(each))));
  }
  Json driver = Json::object().set("name", "vmcred").set("version", version).set("rules", std::move(rules));
  Json run = Json::object()
                 .set("tool", Json::object().set("driver", std::move(driver)))
                 .set("columnKind", "unicodeCodePoints")
                 .set("results", std::move(results));
  return Json::object()
      .set("$schema", "https://json.schemastore.org/sarif-2.1.0.json")
      .set("version", "2.1.0")
      .set("runs", Json::array().push(std::move(run)));
}

}  // namespace vmcred::chain
