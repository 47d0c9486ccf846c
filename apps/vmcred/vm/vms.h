// What the vm commands share: finding a vm, its runtime folder, its backend and its secrets.
#pragma once

#include <optional>
#include <set>
#include <string>

#include "command.h"
#include "declare/model.h"
#include "supervise/control.h"
#include "supervise/run.h"

namespace vmcred::app {

/// The declared vm of that name; an unknown one is `not_found` with the nearest name.
Result<const declare::Vm*> find_vm(const declare::Declaration& declaration, const std::string& name);

/// A vm that runs on this machine, or did a moment ago.
struct RunningPlace {
  std::string folder;
  std::string by;                                       ///< whose it is: "you", "root", "uid 1234"
  std::optional<supervise::ControlClient> client = {};  ///< to its supervisor; none: it is not yours
};
/// Where vms of that name run, one's own first. An empty folder, or one that a supervisor left that was killed, is
/// none.
std::vector<RunningPlace> running_places(const World& world, const std::string& name);

/// Every name that is declared or runs on this machine, and the declaration where there is one: without it the running
/// ones are still known.
Result<std::set<std::string>> known_vms(const World& world, declare::Declaration& declaration);

/// Where runtime folders are, by our environment and uid.
supervise::RuntimePlaces runtime_places(const World& world);

/// The status of a vm by its control socket; empty: nothing runs under that name. `denied`: it is not yours.
Result<std::optional<supervise::Status>> running_status(const World& world, const std::string& name);
Result<supervise::Status> status_at(RunningPlace& place);

/// How `vm run` and `demo` start a vm.
struct StartOptions {
  supervise::Observer* observer = nullptr;
  std::optional<declare::Accel> accel = {};
  std::optional<std::chrono::milliseconds> receipt_limit = {};
  std::optional<std::chrono::milliseconds> start_limit = {};
  std::vector<vmm::Exposure> exposed = {};
};

/// Runs a declared vm to its end. Its secrets come from $CREDENTIALS_DIRECTORY inside a unit; elsewhere they are
/// decrypted from the store into our memory, nothing is written.
Result<supervise::Outcome> run_declared_vm(const declare::Declaration& declaration, const declare::Vm& vm,
                                           const StartOptions& options, const World& world);

/// Runs a command line that somebody else built, with the credentials of a declared vm added to it.
Result<supervise::Outcome> run_foreign_vm(const declare::Declaration& declaration, const declare::Vm& vm,
                                          vmm::Foreign foreign, const StartOptions& options, const World& world);

/// "snapshot", "migration", "coredump".
Result<std::vector<vmm::Exposure>> read_exposures(const std::vector<std::string>& words);

/// The values of a vm's secrets that are activated below `folder` (the link of the generation).
supervise::Available activated_secrets(const declare::Declaration& declaration, const declare::Vm& vm,
                                       const std::string& folder);

/// The present values of a vm's secrets: what is activated on this host where we are root, else decrypted from the
/// store.
Result<supervise::Available> present_secrets(const declare::Declaration& declaration, const declare::Vm& vm,
                                             const World& world);

/// "auto", "kvm" or "tcg".
Result<declare::Accel> read_accel(const std::string& text);

}  // namespace vmcred::app
