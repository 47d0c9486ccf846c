#include "supervise/status.h"

#include <array>

namespace vmcred::supervise {
namespace {

constexpr std::array<std::string_view, 6> kStates = {"starting", "booting", "running", "stopping", "stopped", "failed"};

std::int64_t integer_at(const Json& json, std::string_view key) {
  const Json* const found = json.find(key);
  const std::int64_t* const value = found == nullptr ? nullptr : found->if_integer();
  return value == nullptr ? 0 : *value;
}

}  // namespace

std::string_view state_name(VmState state) { return kStates.at(static_cast<std::size_t>(state)); }

Json status_json(const Status& status) {
  Json receipts = Json::array();
  for (const ReceiptLine& line : status.receipts) {
    receipts.push(Json::object().set("guest", line.guest).set("state", line.state).set("size", line.size));
  }
  Json json = Json::object();
  json.set("vm", status.vm);
  json.set("state", state_name(status.state));
  json.set("detail", status.detail);
  json.set("proof", status.proven ? "proven" : "unproven");
  json.set("generation", static_cast<std::int64_t>(status.generation));
  json.set("accel", status.accel);
  json.set("supervisor", static_cast<int>(status.supervisor));
  json.set("vmm", static_cast<int>(status.vmm));
  json.set("reboots", static_cast<int>(status.reboots));
  json.set("started", status.started_unix);
  json.set("ready_after_ms", status.ready_after_ms);
  json.set("receipts", std::move(receipts));
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
  status.accel = json.string_at("accel");
  status.supervisor = static_cast<pid_t>(integer_at(json, "supervisor"));
  status.vmm = static_cast<pid_t>(integer_at(json, "vmm"));
  status.reboots = static_cast<unsigned>(integer_at(json, "reboots"));
  status.started_unix = integer_at(json, "started");
  status.ready_after_ms = integer_at(json, "ready_after_ms");
  const Json* const receipts = json.find("receipts");
  const Json::Array* const lines = receipts == nullptr ? nullptr : receipts->if_array();
  if (lines == nullptr) return status;
  for (const Json& line : *lines) {
    status.receipts.push_back({line.string_at("guest"), line.string_at("state"), static_cast<std::size_t>(integer_at(line, "size"))});
  }
  return status;
}

}  // namespace vmcred::supervise
