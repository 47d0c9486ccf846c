// The commands of this folder, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kInit;
extern const Command kDeclare;
extern const Command kImportAgenix;
extern const Command kImportSopsNix;
extern const Command kDemo;

}  // namespace vmcred::app
