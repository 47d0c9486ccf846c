#include "running.h"

#include <unistd.h>

#include "base/file.h"
#include "supervise/refresh.h"
#include "supervise/runtime.h"
#include "vms.h"

namespace vmcred::app {
namespace {

constexpr std::chrono::milliseconds kAnswerLimit{3000};
/// Restarts in the guest, their health, and the way back when they do not bear the new values.
constexpr std::chrono::minutes kRefreshLimit{10};

Result<std::vector<std::string>> outdated(const declare::Declaration& declaration, const declare::Vm& vm, const World& world) {
  std::vector<std::string> names;
  TRY_LET(const supervise::Secrets values, present_secrets(declaration, vm, world));
  if (values.empty()) return names;
  TRY_LET(const Fd file, supervise::pack_values(values));
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

/// The connection on which the answer will come; empty: the vm does not run.
Result<std::optional<supervise::ControlClient>> begin(const declare::Vm& vm, const ValuesOf& values, const World& world) {
  TRY_LET(auto client, connect_running(world, vm.name));
  if (!client) return client;
  TRY_LET(const supervise::Secrets secrets, values(vm));
  TRY_LET(const Fd file, supervise::pack_values(secrets));
  TRY(client->send(Json::object().set("do", "refresh"), &file));
  return client;
}

Refresh end_of(const std::string& vm, const Result<Json>& answer) {
  if (!answer) return {.vm = vm, .end = Refresh::End::failed, .error = answer.error().message};
  const auto says = [&](const char* key) {
    const Json* const found = answer->find(key);
    return found != nullptr && found->if_bool() != nullptr && *found->if_bool();
  };
  if (says("refreshed")) return {.vm = vm, .end = Refresh::End::refreshed};
  return {.vm = vm, .end = says("no_agent") ? Refresh::End::no_agent : Refresh::End::failed, .error = answer->string_at("error")};
}

}  // namespace

Result<std::optional<supervise::ControlClient>> connect_running(const World& world, const std::string& vm) {
  for (const std::string& root : supervise::runtime_roots(runtime_places(world))) {
    auto client = supervise::ControlClient::connect(join_path(root, vm));
    if (client) return std::optional(*std::move(client));
    if (client.error().code != Errc::not_found && client.error().code != Errc::unavailable) return std::unexpected(client.error());
  }
  return std::optional<supervise::ControlClient>();
}

std::vector<Refresh> refresh_running(const std::vector<const declare::Vm*>& vms, const ValuesOf& values, const World& world) {
  std::vector<Result<std::optional<supervise::ControlClient>>> clients;
  clients.reserve(vms.size());
  for (const declare::Vm* vm : vms) clients.push_back(begin(*vm, values, world));
  std::vector<Refresh> ends;
  for (std::size_t i = 0; i < vms.size(); ++i) {
    const std::string& name = vms[i]->name;
    if (!clients[i]) {
      ends.push_back({.vm = name, .end = Refresh::End::failed, .error = clients[i].error().message});
    } else if (!*clients[i]) {
      ends.push_back({.vm = name});
    } else {
      ends.push_back(end_of(name, (*clients[i])->next(kRefreshLimit)));
    }
  }
  return ends;
}

bool can_compare() { return ::geteuid() == 0 && is_folder("/run/vmcred/vars"); }

std::vector<chain::doctor::RunningVm> look_at_running(const declare::Declaration& declaration, const World& world,
                                                      const std::function<void(const std::string& vm, const Error&)>& trouble) {
  const bool compares = can_compare();
  std::vector<chain::doctor::RunningVm> running;
  for (const auto& [name, vm] : declaration.vms) {
    auto status = running_status(world, name);
    if (!status) {
      trouble(name, status.error());
    } else if (*status) {
      chain::doctor::RunningVm& each = running.emplace_back(std::move(**status));
      if (!compares) continue;
      auto names = outdated(declaration, vm, world);
      if (!names) trouble(name, names.error());
      if (names) each.outdated = *std::move(names);
    }
  }
  return running;
}

}  // namespace vmcred::app
