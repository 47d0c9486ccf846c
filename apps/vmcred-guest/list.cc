// `list`: the same table and JSON as `systemd-creds list`.
#include <algorithm>
#include <array>

#include "arguments.h"
#include "commands.h"
#include "credentials.h"
#include "systemd_json.h"

namespace vmcred::guest {
namespace {

void print_table(const std::vector<Credential>& rows, bool legend) {
  std::array<std::size_t, 3> width = {legend ? 4U : 0U, legend ? 6U : 0U, legend ? 4U : 0U};
  for (const Credential& row : rows) {
    width[0] = std::max(width[0], row.name.size());
    width[1] = std::max(width[1], row.secure.size());
    width[2] = std::max(width[2], size_text(row.size).size());
  }
  if (legend) print(fmt::format("{:<{}} {:<{}} {:>{}} PATH\n", "NAME", width[0], "SECURE", width[1], "SIZE", width[2]));
  for (const Credential& row : rows) {
    print(fmt::format("{:<{}} {:<{}} {:>{}} {}\n", row.name, width[0], row.secure, width[1], size_text(row.size),
                      width[2], row.path));
  }
}

}  // namespace

Result<int> list(std::span<char* const> given) {
  constexpr std::string_view kKnown[] = {"--system", "--json=", "--no-legend", "--no-pager"};
  TRY_LET(const Arguments arguments, parse_arguments(given, kKnown));
  TRY_LET(const JsonMode mode, json_mode(arguments.value("--json", "off")));
  const bool system = arguments.has("--system");
  TRY_LET(const auto folders, open_folders(system));
  if (folders.empty()) {
    note(system ? "No credentials passed to system." : "No credentials passed. (i.e. $CREDENTIALS_DIRECTORY not set.)");
    return 1;
  }
  std::vector<Credential> rows;
  for (const Folder& folder : folders) {
    TRY_LET(auto found, credentials_in(folder));
    std::ranges::move(found, std::back_inserter(rows));
  }
  if (mode == JsonMode::off) {
    if (rows.empty()) {
      note("No credentials");
    } else {
      print_table(rows, !arguments.has("--no-legend"));
    }
    return 0;
  }
  Json json = Json::array();
  for (const Credential& row : rows) {
    json.push(Json(Json::Object{{"name", row.name},
                                {"secure", row.secure},
                                {"size", static_cast<std::int64_t>(row.size)},
                                {"path", row.path}}));
  }
  print(systemd_json(json, mode));
  return 0;
}

}  // namespace vmcred::guest
