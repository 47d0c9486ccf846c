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
};

/// The present values of a vm's secrets.
using ValuesOf = std::function<Result<supervise::Secrets>(const declare::Vm& vm)>;

/// Hands all running ones of `vms` their values, at the same time; in the order of `vms`.
std::vector<Refresh> refresh_running(const std::vector<const declare::Vm*>& vms, const ValuesOf& values, const World& world);

/// Whether we can ask which guests lag: as root, where values were activated.
bool can_compare();

/// The declared vms that run here; where can_compare() with what their guests hold in an older value.
/// `trouble` gets what could not be looked at.
std::vector<chain::doctor::RunningVm> look_at_running(const declare::Declaration& declaration, const World& world,
                                                      const std::function<void(const std::string& vm, const Error&)>& trouble);

}  // namespace vmcred::app
