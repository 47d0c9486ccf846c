// vmcred vm refresh: give a running guest the present values, without a reboot.
#include <algorithm>

#include "base/spelling.h"
#include "commands.h"
#include "project.h"
#include "project_for_vm.h"
#include "running.h"
#include "supervise/refresh.h"
#include "vms.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"NAME", "the vm"},
    {"--credential NAME...", "only these credentials (default: all that are secret)"},
};

/// Restarts in the guest, their health, and the way back when they do not bear the new values.
constexpr std::chrono::minutes kRefreshLimit{10};

/// Leaves what was asked for, by short or host name.
Result<supervise::Secrets> chosen(supervise::Secrets values, const declare::Vm& vm, const std::vector<std::string>& names) {
  if (names.empty()) return values;
  supervise::Secrets left;
  for (const std::string& name : names) {
    const auto found = std::ranges::find_if(vm.credentials, [&](const declare::Credential& credential) {
      return !credential.static_value && (credential.name == name || credential.host == name || credential.guest == name);
    });
    if (found == vm.credentials.end()) {
      std::vector<std::string> known;
      for (const auto& credential : vm.credentials) {
        if (!credential.static_value) known.push_back(credential.name);
      }
      return hint(fail(Errc::not_found, "vm '{}' has no secret credential '{}'", vm.name, name), did_you_mean(name, known));
    }
    const auto value = values.find(found->host);
    if (value != values.end()) left.emplace(found->host, value->second.clone());
  }
  return left;
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const declare::Declaration declaration, load_project_for_vm(world, given.at("NAME")));
  TRY_LET(const declare::Vm* const vm, find_vm(declaration, given.at("NAME")));
  TRY_LET(supervise::Secrets present, present_secrets(declaration, *vm, world));
  TRY_LET(const supervise::Secrets values, chosen(std::move(present), *vm, given.all("credential")));
  TRY_LET(auto client, connect_running(world, vm->name));
  if (!client) return hint(fail(Errc::not_found, "vm '{}' does not run", vm->name), "it gets the present values when it starts");
  TRY_LET(const Fd file, supervise::pack_values(values));
  TRY_LET(const Json answer, client->ask(Json::object().set("do", "refresh"), kRefreshLimit, &file));
  if (world.json) print(world, dump_json(answer, Indent::two_spaces));
  const Json* const done = answer.find("refreshed");
  if (done == nullptr || done->if_bool() == nullptr || !*done->if_bool()) {
    auto refused = fail(Errc::unavailable, "vm '{}' keeps its old credentials: {}", vm->name, answer.string_at("error"));
    const Json* const no_agent = answer.find("no_agent");
    if (no_agent == nullptr || no_agent->if_bool() == nullptr || !*no_agent->if_bool()) return refused;
    return hint(std::move(refused), "the guest's image needs vmcred-agent.service for that; a vm that starts again gets the new values too");
  }
  note(world, fmt::format("vm '{}' has the new credentials", vm->name));
  return Exit::done;
}

}  // namespace

constinit const Command kVmRefresh = {
    "vm refresh",
    "give a running guest the present values of its credentials",
    "Reads the activated vars of this host (as root), else decrypts them from the store, and hands them to the\n"
    "vm's supervisor. The agent in the guest puts all of them in place at once and restarts, reloads or signals\n"
    "the services that load what changed, as declared. If one of them does not stay up, the old values come\n"
    "back, the services restart with them, and the command fails. The guest does not reboot.",
    kParameters,
    run,
};

}  // namespace vmcred::app
