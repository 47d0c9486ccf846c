#include "project/demo_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "terminal/terminal.h"

namespace vmcred::app {
namespace {

constexpr std::string_view kConsumer = "demo-oem-credentials.service";

std::vector<std::string> service_output(const std::optional<link::Receipt>& receipt) {
  std::vector<std::string> lines;
  if (!receipt) return lines;
  for (const link::UnitOutput& output : receipt->outputs) {
    if (output.unit != kConsumer) continue;
    std::string_view text = output.text;
    while (!text.empty()) {
      const auto end = std::min(text.find('\n'), text.size());
      if (end > 0) lines.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  return lines;
}

}  // namespace

std::string shown_seconds(std::chrono::milliseconds time) {
  return fmt::format("{:.2f} s", static_cast<double>(time.count()) / 1000);
}

std::vector<DemoRow> demo_rows(const credential::Plan& plan, const std::optional<link::Receipt>& receipt) {
  std::vector<DemoRow> rows;
  for (const credential::Entry& entry : plan.entries) {
    if (entry.host == "vmcred.link") continue;  // the link's token, not the user's
    DemoRow row = {.name = entry.name,
                   .host = entry.host,
                   .guest = entry.guest,
                   .channel = entry.channel ? std::string(credential::channel_name(*entry.channel)) : "none",
                   .size = entry.size};
    if (receipt) {
      for (const link::ReceiptEntry& got : receipt->entries) {
        if (got.guest != entry.guest) continue;
        row.received = got.state != link::State::missing;
        row.matches = got.state == link::State::received;
        row.state = link::state_name(got.state);
        for (const link::Consumer& consumer : got.consumers) {
          row.consumer += (row.consumer.empty() ? "" : ", ") + consumer.unit;
        }
      }
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json demo_json(const std::vector<DemoRow>& rows, const DemoSeen& seen, std::string_view vm) {
  Json credentials = Json::array();
  for (const DemoRow& row : rows) {
    Json one = Json::object();
    one.set("host", row.host.empty() ? Json() : Json(row.host));
    one.set("guest", row.guest).set("channel", row.channel).set("size", row.size);
    one.set("received", row.received).set("matches", row.matches);
    if (!row.consumer.empty()) one.set("consumer", row.consumer);
    credentials.push(std::move(one));
  }
  Json leaks = Json::object();
  leaks.set("argv", seen.leaks.argv).set("environ", seen.leaks.environ).set("files", seen.leaks.files);
  Json whole = Json::object();
  whole.set("vm", vm);
  whole.set("guest_systemd", seen.receipt ? seen.receipt->systemd_version : "");
  whole.set("accel", seen.accel);
  whole.set("boot_to_receipt_ms", static_cast<std::int64_t>(seen.receipt_after.count()));
  whole.set("credentials", std::move(credentials));
  whole.set("service_output", Json::strings(service_output(seen.receipt)));
  whole.set("leaks", std::move(leaks));
  whole.set("unreadable", seen.leaks.unreadable);
  if (!seen.leaks.unreadable_places.empty())
    whole.set("unreadable_places", Json::strings(seen.leaks.unreadable_places));
  return whole;
}

std::string demo_table(const std::vector<DemoRow>& rows, const DemoSeen& seen, bool color) {
  std::vector<std::vector<std::string>> cells = {
      {"credential", "host name", "guest name", "channel", "bytes", "received", "service that consumed it"}};
  for (const DemoRow& row : rows) {
    cells.push_back({row.name, row.host.empty() ? "(static)" : row.host, row.guest, row.channel,
                     std::to_string(row.size), row.matches ? "yes, byte for byte" : row.state,
                     row.consumer.empty() ? "none" : row.consumer});
  }
  std::string text =
      "\n" + table(cells, color) + "\n" + styled("the service in the guest printed:", Style::bold, color) + "\n";
  for (const std::string& line : service_output(seen.receipt)) text += "  " + line + "\n";
  text += fmt::format("\nboot to receipt: {} ({}, the guest's systemd is {})\n", shown_seconds(seen.receipt_after),
                      seen.accel, seen.receipt ? seen.receipt->systemd_version : "?");
  text += fmt::format(
      "secrets found on command lines: {}, in environments: {}, in files: {}; places that could not be read: {}{}\n",
      seen.leaks.argv, seen.leaks.environ, seen.leaks.files, seen.leaks.unreadable,
      seen.leaks.unreadable == 0 ? "" : " (--verbose names them)");
  return text;
}

}  // namespace vmcred::app
