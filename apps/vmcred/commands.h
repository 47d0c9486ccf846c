// The commands, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kCompletion;
extern const Command kDeclare;
extern const Command kHelp;

}  // namespace vmcred::app
