#include "report.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/file.h"
#include "base/systemd_bus.h"
#include "consumers.h"
#include "credentials.h"
#include "link/address.h"
#include "sources.h"

namespace vmcred::guest {
namespace {

constexpr std::size_t kMaxOutputFile = 16 * 1024;
constexpr std::size_t kMaxMaps = 1024 * 1024;

/// The values in effect, by name, without the link's own.
std::map<std::string, Secret> read_system(link::Report& report) {
  std::map<std::string, Secret> values;
  auto folders = open_folders(true);
  if (folders && folders->empty()) folders = open_run_store();
  if (!folders) {
    report.notices.push_back(folders.error().message);
    return values;
  }
  for (const Folder& folder : *folders) {
    if (folder.encrypted) continue;
    const auto found = credentials_in(folder);
    if (!found) {
      report.notices.push_back(found.error().message);
      continue;
    }
    for (const Credential& credential : *found) {
      if (credential.name == link::kLinkName) continue;
      auto value = read_credential(folder, credential.name);
      if (value) {
        values.emplace(credential.name, *std::move(value));
      } else {
        report.notices.push_back(value.error().message);
      }
    }
  }
  return values;
}

void add_copy(link::Report& report, Bytes key, const std::string& name, link::Source source, Bytes value) {
  if (report.copies.size() == link::kMaxCopies) return;
  report.copies.push_back(
      {.guest = name, .source = source, .size = value.size(), .hash = link::credential_hash(key, name, value)});
}

void add_outputs(link::Report& report, const ReportOptions& options) {
  for (const auto& [unit, path] : options.outputs) {
    auto text = read_file(path, kMaxOutputFile);
    if (!text) {
      report.notices.push_back(text.error().message);
    } else if (report.outputs.size() < link::kMaxOutputs) {
      report.outputs.push_back({.unit = unit, .text = *std::move(text)});
    }
  }
}

/// States of the consumers and systemd's version. A guest without systemd reports neither.
void ask_systemd(link::Report& report) {
  if (report.consumers.empty()) {
    if (const auto maps = read_file("/proc/1/maps", kMaxMaps)) report.systemd_version = mapped_version(*maps);
    if (!report.systemd_version.empty()) return;
  }
  auto bus = SystemdBus::connect();
  if (!bus) return;
  if (auto version = bus->version()) report.systemd_version = *std::move(version);
  if (report.consumers.empty()) return;
  std::set<std::string> units;
  for (const auto& consumer : report.consumers) units.insert(consumer.unit);
  const auto states = bus->active_states({units.begin(), units.end()});
  if (!states) {
    report.notices.push_back(states.error().message);
    return;
  }
  for (auto& consumer : report.consumers) {
    const auto found = states->find(consumer.unit);
    if (found != states->end()) consumer.state = found->second;
  }
}

}  // namespace

link::Report make_report(Bytes receipt_key, const ReportOptions& options) {
  link::Report report = {.generation = options.generation};
  const auto values = read_system(report);
  std::vector<std::string> names;
  for (const auto& [name, value] : values) {
    add_copy(report, receipt_key, name, link::Source::system, value.bytes());
    names.push_back(name);
  }
  Offers offers = read_offers();
  for (const Offered& offered : offers.offered) {
    if (offered.name == link::kLinkName) continue;
    const auto taken = values.find(offered.name);
    const bool same = taken != values.end() && equal_in_constant_time(taken->second.bytes(), offered.value.bytes());
    if (!same) add_copy(report, receipt_key, offered.name, offered.source, offered.value.bytes());
  }
  std::ranges::move(offers.notices, std::back_inserter(report.notices));
  report.consumers = find_consumers(unit_folders(), names);
  if (report.consumers.size() > link::kMaxConsumers) report.consumers.resize(link::kMaxConsumers);
  add_outputs(report, options);
  ask_systemd(report);
  if (report.notices.size() > link::kMaxNotices) report.notices.resize(link::kMaxNotices);
  return report;
}

}  // namespace vmcred::guest
