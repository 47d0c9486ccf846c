// The guest's drop-ins: each service loads its credentials, and does not start without them.
#pragma once

#include <vector>

#include "base/result.h"
#include "declare/model.h"
#include "unit/files.h"

namespace vmcred::unit {

/// SERVICE.service.d/50-vmcred.conf for each guest service of the vm that loads credentials: LoadCredential=id:GUEST,
/// AssertCredential=GUEST (a missing credential is otherwise silent) and PrivateMounts=yes (hides those of others),
/// each in the form that the guest's systemd and its agent need. Always LoadCredential=, as ImportCredential= is
/// unknown to systemd before 254.
Result<std::vector<UnitFile>> guest_drop_ins(const declare::Vm& vm);

}  // namespace vmcred::unit
