// The commands, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kActivate;
extern const Command kCheck;
extern const Command kCompletion;
extern const Command kDeclare;
extern const Command kDemo;
extern const Command kHelp;
extern const Command kInspect;
extern const Command kImportAgenix;
extern const Command kImportSopsNix;
extern const Command kInit;
extern const Command kVarsCheck;
extern const Command kVarsGenerate;
extern const Command kVarsGet;
extern const Command kVarsList;
extern const Command kVarsSet;
extern const Command kVmList;
extern const Command kVmPlan;
extern const Command kVmRun;
extern const Command kVmStatus;
extern const Command kVmStop;
extern const Command kVmUnits;

}  // namespace vmcred::app
