// What a refresh does to the services of this guest, and whether they bear it.
#pragma once

#include <vector>

#include "base/result.h"
#include "link/set.h"

namespace vmcred::guest {

/// Carries the actions out one after the other, then waits until every unit was healthy for its time: not failed, not
/// restarting. The error names the unit. Systemd is asked over its private socket.
Result<> carry_out(const std::vector<link::UnitAction>& actions);

}  // namespace vmcred::guest
