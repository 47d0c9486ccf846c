// vmcred vm refresh: give a running guest the present values, without a reboot.
#include <unistd.h>

#include <algorithm>

#include "activate/generation.h"
#include "base/file.h"
#include "base/spelling.h"
#include "project/project.h"
#include "supervise/refresh.h"
#include "terminal/answer.h"
#include "vm/commands.h"
#include "vm/project_for_vm.h"
#include "vm/running.h"
#include "vm/vms.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"NAME", "the vm"},
    {"--credential NAME...", "only these credentials (default: all that are secret)"},
};

/// Restarts in the guest, their health, and the way back when they do not bear the new values.
constexpr std::chrono::minutes kRefreshLimit{10};

/// Leaves what was asked for, by short or host name.
Result<supervise::Available> chosen(supervise::Available all, const declare::Vm& vm,
                                    const std::vector<std::string>& names) {
  if (names.empty()) return all;
  supervise::Available left;
  for (const std::string& name : names) {
    const auto found = std::ranges::find_if(vm.credentials, [&](const declare::Credential& credential) {
      return !credential.static_value &&
             (credential.name == name || credential.host == name || credential.guest == name);
    });
    if (found == vm.credentials.end()) {
      std::vector<std::string> known;
      for (const auto& credential : vm.credentials) {
        if (!credential.static_value) known.push_back(credential.name);
      }
      return hint(fail(Errc::not_found, "vm '{}' has no secret credential '{}'", vm.name, name),
                  did_you_mean(name, known));
    }
    const auto value = all.values.find(found->host);
    if (value != all.values.end()) left.values.emplace(found->host, value->second.clone());
    for (const auto& unreadable : all.unreadable) {
      if (unreadable.first == found->host) left.unreadable.push_back(unreadable);
    }
  }
  return left;
}

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const declare::Declaration declaration, load_project_for_vm(world, given.at("NAME")));
  TRY_LET(const declare::Vm* const vm, find_vm(declaration, given.at("NAME")));
  TRY_LET(supervise::Available present, present_secrets(declaration, *vm, world));
  TRY_LET(const supervise::Available values, chosen(std::move(present), *vm, given.all("credential")));
  // An activation under way hands the same guest its values: ours come behind.
  const activate::Places places;
  Fd turn;
  if (::geteuid() == 0 && is_folder(places.generations)) {
    TRY_LET(turn, activate::take_turn(places));
  }
  TRY_LET(auto client, connect_running(world, vm->name));
  if (!client)
    return hint(fail(Errc::not_found, "vm '{}' does not run", vm->name), "it gets the present values when it starts");
  if (values.values.empty() && !values.unreadable.empty()) {
    const auto& [host, error] = values.unreadable.front();
    return hint(fail(error.code, "vm '{}' keeps its old credentials: '{}': {}", vm->name, host, error.message),
                error.hint);
  }
  TRY_LET(const Fd file, supervise::pack_values(values.values));
  TRY_LET(const Json answer, client->ask(Json::object().set("do", "refresh"), kRefreshLimit, &file));
  const Refresh refresh = end_of_refresh(vm->name, answer, values);
  if (world.json) {
    Json whole = answer;
    if (const Json one = refresh_json(refresh); one.find("credentials") != nullptr)
      whole.set("credentials", *one.find("credentials"));
    answer_with(world, whole);
  }
  if (refresh.end == Refresh::End::no_agent) {
    return hint(
        fail(Errc::unavailable, "vm '{}' keeps its old credentials: {}", vm->name, refresh.error),
        "the guest's image needs vmcred-agent.service for that; a vm that starts again gets the new values too");
  }
  if (refresh.end == Refresh::End::failed) {
    return fail(Errc::unavailable, "vm '{}' keeps its old credentials: {}", vm->name, refresh.error);
  }
  if (!world.json) print(world, refresh_lines(refresh, world));
  const bool waits =
      std::ranges::any_of(refresh.credentials, [](const auto& each) { return each.second == "needs a restart"; });
  note(world, waits ? fmt::format("vm '{}' has the new values of the credentials that it started with; the others come "
                                  "when it starts again",
                                  vm->name)
                    : fmt::format("vm '{}' has the new credentials", vm->name));
  return values.unreadable.empty() ? Exit::done : Exit::failed;
}

}  // namespace

constinit const Command kVmRefresh = {
    "vm refresh",
    "give a running guest the present values of its credentials",
    "Reads the activated vars of this host (as root), else decrypts them from the store, and hands them to the\n"
    "vm's supervisor. The agent in the guest puts all of them in place at once and restarts, reloads or signals\n"
    "the services that load what changed, as declared. If one of them does not stay up, the old values come\n"
    "back, the services restart with them, and the command fails. The guest does not reboot.\n\n"
    "Says of each credential what became of it: 'refreshed', 'unchanged' (with --verbose), 'needs a restart' where the "
    "vm\n"
    "started without it, 'cannot be read'; and which units of the guest were restarted, reloaded or signalled.",
    kParameters,
    run,
};

}  // namespace vmcred::app
