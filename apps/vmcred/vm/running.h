// Vms that run on this machine: new values for them, and what they have in an older value than this host.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "chain/doctor/doctor.h"
#include "command.h"
#include "declare/model.h"
#include "supervise/control.h"
#include "supervise/credentials.h"

namespace vmcred::app {

/// A connection to the supervisor of a vm; empty: it does not run here.
Result<std::optional<supervise::ControlClient>> connect_running(const World& world, const std::string& vm);

/// How handing new values to a running vm ended.
struct Refresh {
  enum class End : std::uint8_t {
    not_running,
    refreshed,
    no_agent,  ///< nobody in the guest can take them: a restart of the vm would bring them
    failed,    ///< the guest keeps its old values
  };
  std::string vm;
  End end = End::not_running;
  std::string error = {};
  /// What became of each credential, by host name: "refreshed", "unchanged", "needs a restart", "cannot be read: …".
  std::vector<std::pair<std::string, std::string>> credentials = {};
  std::vector<std::pair<std::string, std::string>> services = {};  ///< units of the guest, and what was done with them
};

/// The present values of a vm's secrets.
using ValuesOf = std::function<supervise::Available(const declare::Vm& vm)>;

/// How it ended, by the supervisor's answer; what could not even be handed over is among the credentials.
Refresh end_of_refresh(const std::string& vm, const Result<Json>& answer, const supervise::Available& given);
/// "host-api-key: refreshed", "web.service: restart": a line each, indented; what stayed as it was only with --verbose.
std::string refresh_lines(const Refresh& refresh, const World& world);
/// The same as data, for {"vm", "done", …}.
Json refresh_json(const Refresh& refresh);

/// Hands all running ones of `vms` their values, at the same time; in the order of `vms`.
std::vector<Refresh> refresh_running(const std::vector<const declare::Vm*>& vms, const ValuesOf& values,
                                     const World& world);

/// The status of a vm by its supervisor, and what of it the store or this host has in a newer value (Status::older, and
/// the lines of the receipt); empty: it does not run here. As root on a host where values were activated these are
/// compared, byte for byte, in the supervisor's memory; else times tell. `trouble` (may be null) gets why they could
/// not be compared.
Result<std::optional<supervise::Status>> look_at_vm(const declare::Declaration& declaration, const declare::Vm& vm,
                                                    const World& world, Error* trouble = nullptr);

/// Whether we can ask which guests lag: as root, where values were activated.
bool can_compare();

/// The declared vms that run here; where can_compare() with what their guests hold in an older value.
/// `trouble` gets what could not be looked at.
std::vector<chain::doctor::RunningVm> look_at_running(
    const declare::Declaration& declaration, const World& world,
    const std::function<void(const std::string& vm, const Error&)>& trouble);

}  // namespace vmcred::app
