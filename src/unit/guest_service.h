// A guest's own services as whole units, for declarations that hold them (a Nix file's systemd.services).
#pragma once

#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "unit/files.h"

namespace vmcred::unit {

/// SERVICE.service for each service, and TARGET.d/50-vmcred-SERVICE.conf where a target wants it. `services` is a set
/// of {description, wanted-by, unit, service, scripts}, in which each setting is a list of its lines; a script, by the
/// setting that runs it, becomes such as ExecStart=/bin/sh. LoadCredential= is the drop-in's (guest.h).
Result<std::vector<UnitFile>> guest_services(const Json& services);

}  // namespace vmcred::unit
