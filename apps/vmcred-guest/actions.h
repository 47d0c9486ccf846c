// What a refresh does to the services of this guest, and whether they bear it.
#pragma once

#include <functional>
#include <vector>

#include "base/result.h"
#include "link/set.h"

namespace vmcred::guest {

/// Carries all actions out, one after the other, then waits until every unit was healthy: active (or done) for its
/// time, or its health command says so. A unit that is reloaded or signalled is given the values in place first. The
/// error names every unit whose action failed, or the first that is not well. Systemd is asked over its private socket.
/// Waits no longer when `ended` says so, which is an error as well.
Result<> carry_out(const std::vector<link::UnitAction>& actions, const std::function<bool()>& ended);

}  // namespace vmcred::guest
