#include "supervise/status.h"

#include <array>
#include <span>

#include "supervise/arrival.h"

namespace vmcred::supervise {
namespace {

constexpr std::array<std::string_view, 6> kStates = {"starting", "booting", "running", "stopping", "stopped", "failed"};

std::int64_t integer_at(const Json& json, std::string_view key) {
  const Json* const found = json.find(key);
  const std::int64_t* const value = found == nullptr ? nullptr : found->if_integer();
  return value == nullptr ? 0 : *value;
}

std::span<const Json> list_at(const Json& json, std::string_view key) {
  const Json* const found = json.find(key);
  const Json::Array* const list = found == nullptr ? nullptr : found->if_array();
  return list == nullptr ? std::span<const Json>() : std::span<const Json>(*list);
}

}  // namespace

std::string_view state_name(VmState state) { return kStates.at(static_cast<std::size_t>(state)); }

Json status_json(const Status& status) {
  Json receipts = Json::array();
  for (const ReceiptLine& line : status.receipts) {
    Json services = Json::array();
    for (const ServiceLine& service : line.services) {
      services.push(Json::object().set("unit", service.unit).set("state", service.state));
    }
    receipts.push(Json::object()
                      .set("guest", line.guest)
                      .set("state", line.state)
                      .set("size", line.size)
                      .set("mood", arrival_name(arrival_of(line)))
                      .set("services", std::move(services)));
  }
  Json notices = Json::array();
  for (const std::string& notice : status.notices) notices.push(notice);
  Json json = Json::object();
  json.set("vm", status.vm);
  json.set("state", state_name(status.state));
  json.set("detail", status.detail);
  json.set("proof", status.proven ? "proven" : "unproven");
  json.set("mood", arrival_name(arrival_of(status)));
  json.set("generation", static_cast<std::int64_t>(status.generation));
  json.set("expected_generation", static_cast<std::int64_t>(status.expected_generation));
  json.set("accel", status.accel);
  json.set("supervisor", static_cast<int>(status.supervisor));
  json.set("vmm", static_cast<int>(status.vmm));
  json.set("reboots", static_cast<int>(status.reboots));
  json.set("started", status.started_unix);
  json.set("values_taken_ms", status.values_unix_ms);
  json.set("ready_after_ms", status.ready_after_ms);
  json.set("turned_away", static_cast<int>(status.turned_away));
  json.set("guest_systemd", status.guest_systemd);
  const SystemdWord& word = status.systemd;
  if (word != SystemdWord{}) {
    Json systemd = Json::object();
    systemd.set("ready", word.ready).set("unit", word.unit).set("status", word.status).set("hostname", word.hostname);
    systemd.set("shutdown", word.shutdown);
    if (word.exit_status >= 0) systemd.set("exit_status", word.exit_status);
    json.set("systemd", std::move(systemd));
  }
  json.set("receipts", std::move(receipts));
  if (!status.older.empty()) json.set("older", Json::strings(status.older));
  json.set("notices", std::move(notices));
  return json;
}

Result<Status> read_status(const Json& json) {
  Status status;
  status.vm = json.string_at("vm");
  const std::string state = json.string_at("state");
  std::size_t index = 0;
  while (index < kStates.size() && kStates.at(index) != state) ++index;
  if (status.vm.empty() || index == kStates.size()) return fail(Errc::invalid_data, "no status of a vm");
  status.state = static_cast<VmState>(index);
  status.detail = json.string_at("detail");
  status.proven = json.string_at("proof") == "proven";
  status.generation = static_cast<std::uint64_t>(integer_at(json, "generation"));
  status.expected_generation = static_cast<std::uint64_t>(integer_at(json, "expected_generation"));
  status.accel = json.string_at("accel");
  status.supervisor = static_cast<pid_t>(integer_at(json, "supervisor"));
  status.vmm = static_cast<pid_t>(integer_at(json, "vmm"));
  status.reboots = static_cast<unsigned>(integer_at(json, "reboots"));
  status.started_unix = integer_at(json, "started");
  status.values_unix_ms = integer_at(json, "values_taken_ms");
  status.ready_after_ms = integer_at(json, "ready_after_ms");
  status.turned_away = static_cast<unsigned>(integer_at(json, "turned_away"));
  status.guest_systemd = json.string_at("guest_systemd");
  if (const Json* const word = json.find("systemd"); word != nullptr) {
    const Json* const ready = word->find("ready");
    status.systemd = {
        .ready = ready != nullptr && ready->if_bool() != nullptr && *ready->if_bool(),
        .unit = word->string_at("unit"),
        .status = word->string_at("status"),
        .hostname = word->string_at("hostname"),
        .shutdown = word->string_at("shutdown"),
        .exit_status = word->find("exit_status") == nullptr ? -1 : static_cast<int>(integer_at(*word, "exit_status"))};
  }
  for (const Json& line : list_at(json, "receipts")) {
    ReceiptLine& receipt = status.receipts.emplace_back();
    receipt.guest = line.string_at("guest");
    receipt.state = line.string_at("state");
    receipt.size = static_cast<std::size_t>(integer_at(line, "size"));
    for (const Json& service : list_at(line, "services")) {
      receipt.services.push_back({service.string_at("unit"), service.string_at("state")});
    }
  }
  for (const Json& notice : list_at(json, "notices")) {
    if (const std::string* const text = notice.if_string()) status.notices.push_back(*text);
  }
  return status;
}

}  // namespace vmcred::supervise
