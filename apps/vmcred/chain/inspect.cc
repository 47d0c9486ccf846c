// vmcred inspect: what SMBIOS tables and fw_cfg trees hold for systemd, without the values.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/json.h"
#include "chain/commands.h"
#include "chain/inspect_source.h"
#include "credential/examine.h"
#include "credential/oem_string.h"
#include "terminal/answer.h"
#include "terminal/terminal.h"

namespace vmcred::app {
namespace {

using credential::Fate;
using credential::Kind;
using credential::SeenItem;
using credential::SeenString;

constexpr int kDefaultVersion = 252;

constexpr Parameter kParameters[] = {
    {"[FILE]",
     "a table, a structure, a dump of 'dmidecode --dump-bin' or its text, what 'systemd-creds --system list' prints, a "
     "folder of /sys/firmware, or - for standard input"},
    {"--live", "read this machine's own /sys/firmware"},
    {"--systemd VERSION", "judge as this version of systemd would (default: 252)"},
    {"--show", "show the values as well"},
};

std::string_view kind_name(const SeenString& seen) {
  switch (seen.kind) {
    case Kind::text:
      return "text";
    case Kind::binary:
      return "binary";
    case Kind::other:
      break;
  }
  return "other";
}

std::string shown_value(const SeenString& seen) {
  if (seen.kind == Kind::other) return credential::printable(text_of(seen.text));
  const auto value = credential::value_in(seen);
  return value ? credential::printable(value->text()) : std::string();
}

std::string verdict(Fate fate, const std::string& why) {
  std::string text(credential::fate_name(fate));
  if (!why.empty()) text += ": " + why;
  return text;
}

struct Report {
  std::vector<SeenString> strings;
  std::vector<SeenItem> items;
  bool whole = true;  ///< the table did not end early
  [[nodiscard]] bool clean() const {
    if (!whole) return false;
    const auto fine = [](Fate fate) { return fate == Fate::imported || fate == Fate::ignored; };
    for (const SeenString& seen : strings) {
      if (!fine(seen.fate)) return false;
    }
    for (const SeenItem& item : items) {
      if (!fine(item.fate)) return false;
    }
    return true;
  }
};

const Secret& value_of(const Inspected& found, const std::string& name) {
  for (const auto& [item, value] : found.items) {
    if (item == name) return value;
  }
  static const Secret none;
  return none;
}

/// How many OEM strings of its last structure a cut table does not hold.
std::size_t lost_strings(const Inspected& found) {
  for (const credential::FoundStructure& each : found.structures)
    if (each.type == credential::kOemStringsType && !each.complete && each.count > each.strings.size())
      return each.count - each.strings.size();
  return 0;
}

/// What a table that ends early keeps from who reads it.
std::string lost(const Inspected& found) {
  std::string what = found.missing == 0 ? std::string("what came behind that is lost, credentials among it")
                     : found.missing == 1
                         ? std::string("1 structure is lost, and the credentials in it")
                         : fmt::format("{} structures are lost, and the credentials in them", found.missing);
  const std::size_t strings = lost_strings(found);
  if (strings == 1) what = "1 OEM string of this structure is lost; " + what;
  if (strings > 1) what = fmt::format("{} OEM strings of this structure are lost; {}", strings, what);
  return fmt::format("the table ends early: {}; {}", found.complaint, what);
}

/// What is there of a string in which the table ends.
void judge_cut(SeenString& seen) {
  const std::string_view text = text_of(seen.text);
  const bool begins = credential::kTextPrefix.starts_with(text) || credential::kBinaryPrefix.starts_with(text);
  if (seen.fate == Fate::ignored && !begins) return;
  seen.fate = seen.fate == Fate::ignored ? Fate::unseen : Fate::truncated;
  seen.why = "the table ends in it";
}

/// The last string of a structure without an end is cut where the table is, unless it ends there itself.
void mark_cut(const Inspected& found, std::vector<SeenString>& strings) {
  std::size_t structure = 0;
  for (const credential::FoundStructure& each : found.structures) {
    if (each.type != credential::kOemStringsType) continue;
    if (!each.complete && !each.raw.empty() && each.raw.back() != 0) {
      const auto last = std::ranges::find(strings.rbegin(), strings.rend(), structure, &SeenString::structure);
      if (last != strings.rend()) judge_cut(*last);
    }
    ++structure;
  }
}

void print_text(World& world, const Inspected& found, const Report& report, bool show) {
  if (!found.smbios.empty()) print(world, found.smbios + "\n");
  if (!report.strings.empty()) {
    std::vector<std::vector<std::string>> rows = {{"STRUCTURE", "STRING", "CREDENTIAL", "FORM", "BYTES", "SYSTEMD"}};
    if (show) rows[0].push_back("VALUE");
    for (const SeenString& seen : report.strings) {
      rows.push_back({fmt::format("11-{}", seen.structure), std::to_string(seen.number),
                      seen.kind == Kind::other ? "-" : seen.name, std::string(kind_name(seen)),
                      seen.size ? std::to_string(*seen.size) : std::to_string(seen.text.size()),
                      verdict(seen.fate, seen.why)});
      if (show) rows.back().push_back(shown_value(seen));
    }
    print(world, table(rows, world.color_out));
  }
  if (!report.items.empty()) {
    std::vector<std::vector<std::string>> rows = {{"FW_CFG", "BYTES", "SYSTEMD"}};
    if (show) rows[0].push_back("VALUE");
    for (const SeenItem& item : report.items) {
      rows.push_back({credential::printable(item.name), std::to_string(item.size), verdict(item.fate, item.why)});
      if (show) rows.back().push_back(credential::printable(value_of(found, item.name).text()));
    }
    print(world, table(rows, world.color_out));
  }
  if (!found.listed.empty()) {
    std::vector<std::vector<std::string>> rows = {{"CREDENTIAL", "SIZE", "SYSTEMD"}};
    for (const auto& [name, size] : found.listed)
      rows.push_back({credential::printable(name), credential::printable(size), "imported"});
    print(world, table(rows, world.color_out));
  }
  if (found.is_list && found.listed.empty()) return print(world, "no credentials\n");
  if (report.strings.empty() && report.items.empty() && found.listed.empty())
    print(world, "no OEM strings and no fw_cfg credentials\n");
  if (!report.whole) note(world, lost(found));
}

void print_json(World& world, const Inspected& found, const Report& report, bool show) {
  Json strings = Json::array();
  for (const SeenString& seen : report.strings) {
    Json one = Json::object();
    one.set("structure", seen.structure).set("handle", static_cast<int>(seen.handle)).set("string", seen.number);
    one.set("kind", kind_name(seen)).set("name", seen.kind == Kind::other ? Json() : Json(seen.name));
    one.set("size", seen.size ? Json(*seen.size) : Json()).set("bytes", seen.text.size());
    one.set("fate", credential::fate_name(seen.fate));
    if (!seen.why.empty()) one.set("why", seen.why);
    if (show) one.set("value", shown_value(seen)).set("text", credential::printable(text_of(seen.text)));
    strings.push(std::move(one));
  }
  Json items = Json::array();
  for (const SeenItem& item : report.items) {
    Json one = Json::object();
    one.set("name", credential::printable(item.name))
        .set("size", item.size)
        .set("fate", credential::fate_name(item.fate));
    if (!item.why.empty()) one.set("why", item.why);
    if (show) one.set("value", credential::printable(value_of(found, item.name).text()));
    items.push(std::move(one));
  }
  Json json = Json::object();
  json.set("smbios", found.smbios.empty() ? Json() : Json(found.smbios));
  json.set("strings", std::move(strings)).set("fw_cfg", std::move(items));
  if (found.is_list) {
    Json listed = Json::array();
    for (const auto& [name, size] : found.listed) {
      Json one = Json::object();
      listed.push(std::move(one.set("name", credential::printable(name))
                                .set("size", credential::printable(size))
                                .set("fate", "imported")));
    }
    json.set("arrived", std::move(listed));
  }
  if (!found.complaint.empty())
    json.set("complaint", found.complaint).set("missing", found.missing).set("missing_strings", lost_strings(found));
  answer_with(world, json);
}

Result<int> version_of(const Given& given) {
  if (!given.has("systemd")) return kDefaultVersion;
  const std::string text = given.at("systemd");
  int version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < kDefaultVersion || version > 999) {
    return hint(fail(Errc::usage, "'{}' is no version of systemd that reads SMBIOS", text), "252 or later");
  }
  return version;
}

Result<Inspected> read_source(const Given& given) {
  if (given.has("live") == given.has("FILE")) {
    return hint(fail(Errc::usage, "inspect needs a file or --live"), "for example 'vmcred inspect --live'");
  }
  if (given.has("live")) return in("read this machine's firmware tables", inspect_path("/sys/firmware"));
  return given.at("FILE") == "-" ? inspect_descriptor(0) : inspect_path(given.at("FILE"));
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const int version, version_of(given));
  TRY_LET(const Inspected found, read_source(given));
  Report report;
  report.strings = credential::examine(found.structures, version);
  report.whole = found.complaint.empty();
  mark_cut(found, report.strings);
  std::vector<std::pair<std::string, std::size_t>> items;
  for (const auto& [name, value] : found.items) items.emplace_back(name, value.size());
  report.items = credential::examine_items(std::move(items));
  for (SeenString& seen : report.strings) {  // systemd reads fw_cfg first
    const bool before = std::ranges::any_of(
        report.items, [&](const SeenItem& item) { return item.name == seen.name && item.fate == Fate::imported; });
    if (!before || seen.kind == Kind::other || seen.fate != Fate::imported) continue;
    seen.fate = Fate::skipped;
    seen.why = "fw_cfg has a credential of this name";
  }
  if (world.json) {
    print_json(world, found, report, given.has("show"));
  } else {
    print_text(world, found, report, given.has("show"));
  }
  return report.clean() ? Exit::done : Exit::findings;
}

}  // namespace

constinit const Command kInspect = {
    "inspect",
    "show what SMBIOS tables and fw_cfg trees hold, without the values",
    "Decodes every OEM string, marks systemd's credentials and says which of them a guest's systemd would\n"
    "import, cut or drop, and why. Values stay hidden without --show. Exit code 3 means that something\n"
    "would not arrive whole, or that the dump was cut.",
    kParameters,
    run,
};

}  // namespace vmcred::app
