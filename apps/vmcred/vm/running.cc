#include "vm/running.h"

#include <unistd.h>

#include <algorithm>

#include "base/file.h"
#include "chain/newer.h"
#include "store/repository.h"
#include "supervise/refresh.h"
#include "supervise/runtime.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

constexpr std::string_view kActivated = "/run/vmcred/vars";
constexpr std::chrono::milliseconds kAnswerLimit{3000};
/// Restarts in the guest, their health, and the way back when they do not bear the new values.
constexpr std::chrono::minutes kRefreshLimit{10};

Result<std::vector<std::string>> outdated(const declare::Declaration& declaration, const declare::Vm& vm,
                                          const World& world) {
  std::vector<std::string> names;
  TRY_LET(const supervise::Available present, present_secrets(declaration, vm, world));
  if (present.values.empty()) return names;
  TRY_LET(const Fd file, supervise::pack_values(present.values));
  TRY_LET(auto client, connect_running(world, vm.name));
  if (!client) return names;
  TRY_LET(const Json answer, client->ask(Json::object().set("do", "compare"), kAnswerLimit, &file));
  if (!answer.string_at("error").empty()) {
    return fail(Errc::unavailable, "its supervisor cannot compare: {}", answer.string_at("error"));
  }
  const Json* const list = answer.find("outdated");
  const Json::Array* const array = list == nullptr ? nullptr : list->if_array();
  if (array == nullptr) return names;
  for (const Json& each : *array) {
    if (const std::string* const name = each.if_string()) names.push_back(*name);
  }
  return names;
}

/// A refresh under way.
struct Begun {
  supervise::Available given = {};
  std::optional<supervise::ControlClient> client = {};  ///< on which the answer will come; none: the vm does not run
};

Result<Begun> begin(const declare::Vm& vm, const ValuesOf& values, const World& world) {
  Begun begun;
  TRY_LET(begun.client, connect_running(world, vm.name));
  if (!begun.client) return begun;
  begun.given = values(vm);
  if (begun.given.values.empty() && !begun.given.unreadable.empty()) {
    const auto& [host, error] = begun.given.unreadable.front();
    return fail(error.code, "none of its credentials can be read: '{}': {}", host, error.message);
  }
  TRY_LET(const Fd file, supervise::pack_values(begun.given.values));
  TRY(begun.client->send(Json::object().set("do", "refresh"), &file));
  return begun;
}

/// Pairs of members of the objects in a list.
std::vector<std::pair<std::string, std::string>> pairs_at(const Json& json, std::string_view list,
                                                          std::string_view first, std::string_view second) {
  std::vector<std::pair<std::string, std::string>> pairs;
  const Json* const found = json.find(list);
  if (found == nullptr || found->if_array() == nullptr) return pairs;
  for (const Json& each : *found->if_array()) pairs.emplace_back(each.string_at(first), each.string_at(second));
  return pairs;
}

}  // namespace

Refresh end_of_refresh(const std::string& vm, const Result<Json>& answer, const supervise::Available& given) {
  if (!answer) return {.vm = vm, .end = Refresh::End::failed, .error = answer.error().message};
  const auto says = [&](const char* key) {
    const Json* const found = answer->find(key);
    return found != nullptr && found->if_bool() != nullptr && *found->if_bool();
  };
  Refresh refresh = {.vm = vm, .error = answer->string_at("error")};
  refresh.end = says("refreshed")  ? Refresh::End::refreshed
                : says("no_agent") ? Refresh::End::no_agent
                                   : Refresh::End::failed;
  refresh.credentials = pairs_at(*answer, "credentials", "host", "state");
  refresh.services = pairs_at(*answer, "services", "unit", "action");
  for (const auto& [host, error] : given.unreadable) {
    refresh.credentials.emplace_back(host, "cannot be read: " + error.message);
  }
  return refresh;
}

std::string refresh_lines(const Refresh& refresh, const World& world) {
  std::string lines;
  for (const auto& [host, state] : refresh.credentials) {
    if (state != "unchanged" || world.verbose) lines += fmt::format("  {}: {}\n", host, state);
  }
  for (const auto& [unit, action] : refresh.services) lines += fmt::format("  {}: {}\n", unit, action);
  return lines;
}

Json refresh_json(const Refresh& refresh) {
  Json one = Json::object().set("vm", refresh.vm).set("done", refresh.end == Refresh::End::refreshed);
  if (!refresh.error.empty()) one.set("error", refresh.error);
  Json credentials = Json::array();
  for (const auto& [host, state] : refresh.credentials)
    credentials.push(Json::object().set("host", host).set("state", state));
  Json services = Json::array();
  for (const auto& [unit, action] : refresh.services)
    services.push(Json::object().set("unit", unit).set("action", action));
  if (!refresh.credentials.empty()) one.set("credentials", std::move(credentials));
  if (!refresh.services.empty()) one.set("services", std::move(services));
  return one;
}

Result<std::optional<supervise::ControlClient>> connect_running(const World& world, const std::string& vm) {
  std::vector<RunningPlace> places = running_places(world, vm);
  if (places.empty()) return std::optional<supervise::ControlClient>();
  RunningPlace& own = places.front();
  if (!own.client) return fail(Errc::denied, "vm '{}' is not yours: {} runs it", vm, own.by);
  return std::move(own.client);
}

std::vector<Refresh> refresh_running(const std::vector<const declare::Vm*>& vms, const ValuesOf& values,
                                     const World& world) {
  std::vector<Result<Begun>> all;
  all.reserve(vms.size());
  for (const declare::Vm* vm : vms) all.push_back(begin(*vm, values, world));
  std::vector<Refresh> ends;
  for (std::size_t i = 0; i < vms.size(); ++i) {
    const std::string& name = vms[i]->name;
    if (!all[i]) {
      ends.push_back({.vm = name, .end = Refresh::End::failed, .error = all[i].error().message});
    } else if (!all[i]->client) {
      ends.push_back({.vm = name});
    } else {
      ends.push_back(end_of_refresh(name, all[i]->client->next(kRefreshLimit), all[i]->given));
    }
  }
  return ends;
}

bool can_compare() { return ::geteuid() == 0 && is_folder(std::string(kActivated)); }

Result<std::optional<supervise::Status>> look_at_vm(const declare::Declaration& declaration, const declare::Vm& vm,
                                                    const World& world, Error* trouble) {
  TRY_LET(auto status, running_status(world, vm.name));
  if (!status || status->supervisor == 0) return status;
  const bool compares = can_compare();
  if (const auto repository = store::Repository::open(declaration.folder)) {
    status->older = chain::newer_than_taken(declaration, vm, *repository,
                                            compares ? std::string(kActivated) : std::string(), status->values_unix_ms);
  }
  if (compares) {
    auto names = outdated(declaration, vm, world);
    if (names) {
      status->older.insert(status->older.end(), names->begin(), names->end());
    } else if (trouble != nullptr) {
      *trouble = std::move(names).error();
    }
  }
  std::ranges::sort(status->older);
  const auto again = std::ranges::unique(status->older);
  status->older.erase(again.begin(), again.end());
  for (const declare::Credential& credential : vm.credentials) {
    if (!std::ranges::binary_search(status->older, credential.host)) continue;
    const auto line = std::ranges::find(status->receipts, credential.guest, &supervise::ReceiptLine::guest);
    if (line != status->receipts.end()) line->older = true;
  }
  return status;
}

std::vector<chain::doctor::RunningVm> look_at_running(
    const declare::Declaration& declaration, const World& world,
    const std::function<void(const std::string& vm, const Error&)>& trouble) {
  std::vector<chain::doctor::RunningVm> running;
  for (const auto& [name, vm] : declaration.vms) {
    Error why = {.code = Errc::io, .message = ""};
    auto status = look_at_vm(declaration, vm, world, &why);
    if (!status) trouble(name, status.error());
    if (!why.message.empty()) trouble(name, why);
    if (status && *status) running.push_back({.status = **std::move(status)});
  }
  return running;
}

}  // namespace vmcred::app
