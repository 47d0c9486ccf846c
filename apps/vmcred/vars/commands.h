// The commands of this folder, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kVarsGenerate;
extern const Command kVarsList;
extern const Command kVarsGet;
extern const Command kVarsSet;
extern const Command kVarsCheck;
extern const Command kVarsFix;
extern const Command kVarsRotate;
extern const Command kVarsPrune;
extern const Command kVarsExport;
extern const Command kVarsImport;
extern const Command kVarsRename;
extern const Command kVarsKeygen;
extern const Command kSecretsMachinesRename;

}  // namespace vmcred::app
