// `show`: each credential of the system with its source and the services that load it.
#include <algorithm>
#include <map>

#include "arguments.h"
#include "commands.h"
#include "consumers.h"
#include "credentials.h"
#include "sources.h"
#include "systemd_json.h"

namespace vmcred::guest {
namespace {

std::string source_text(link::Source source) {
  switch (source) {
    case link::Source::fw_cfg:
      return "fw_cfg";
    case link::Source::smbios:
      return "smbios";
    case link::Source::kernel_line:
      return "kernel-line";
    default:
      return "other";
  }
}

struct Row {
  Credential credential;
  std::string source = "other";
  std::vector<std::string> consumers;  ///< "web.service (api-key)"
};

}  // namespace

Result<int> show(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {"--json"};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  TRY_LET(const auto folders, open_folders(true));
  std::vector<Row> rows;
  std::vector<std::string> names;
  const Offers offers = read_offers();
  for (const Folder& folder : folders) {
    TRY_LET(const auto found, credentials_in(folder));
    for (const Credential& credential : found) {
      Row row = {.credential = credential, .consumers = {}};
      const auto value = folder.encrypted ? Result<Secret>(Secret()) : read_credential(folder, credential.name);
      for (const Offered& offered : offers.offered) {
        if (offered.name != credential.name || !value) continue;
        row.source = source_text(offered.source);
        break;  // the first one of a name is the one that counts
      }
      names.push_back(credential.name);
      rows.push_back(std::move(row));
    }
  }
  for (const auto& consumer : find_consumers(unit_folders(), names)) {
    const auto row = std::ranges::find(rows, consumer.guest, [](const Row& one) { return one.credential.name; });
    if (row != rows.end()) row->consumers.push_back(fmt::format("{} ({})", consumer.unit, consumer.id));
  }
  std::ranges::sort(rows, {}, [](const Row& row) { return row.credential.name; });
  if (arguments.has("--json")) {
    Json json = Json::array();
    for (const Row& row : rows) {
      json.push(Json(Json::Object{{"name", row.credential.name},
                                  {"size", static_cast<std::int64_t>(row.credential.size)},
                                  {"secure", row.credential.secure},
                                  {"source", row.source},
                                  {"consumers", Json::strings(row.consumers)}}));
    }
    print(systemd_json(json, JsonMode::pretty));
    return 0;
  }
  std::size_t name_width = 4;
  for (const Row& row : rows) name_width = std::max(name_width, row.credential.name.size());
  print(fmt::format("{:<{}} {:>8} {:<9} {:<11} CONSUMERS\n", "NAME", name_width, "SIZE", "SECURE", "SOURCE"));
  for (const Row& row : rows) {
    std::string consumers;
    for (const auto& consumer : row.consumers) consumers += (consumers.empty() ? "" : ", ") + consumer;
    print(fmt::format("{:<{}} {:>8} {:<9} {:<11} {}\n", row.credential.name, name_width, size_text(row.credential.size),
                      row.credential.secure, row.source, consumers.empty() ? "-" : consumers));
  }
  for (const std::string& notice : offers.notices) note("vmcred-guest: " + notice);
  return 0;
}

}  // namespace vmcred::guest
