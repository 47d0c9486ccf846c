// The commands of this folder, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kVmList;
extern const Command kVmPlan;
extern const Command kVmRun;
extern const Command kVmRefresh;
extern const Command kVmStop;
extern const Command kVmStatus;
extern const Command kVmUnits;
extern const Command kExec;

}  // namespace vmcred::app
