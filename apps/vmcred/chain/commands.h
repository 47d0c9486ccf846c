// The commands of this folder, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kCheck;
extern const Command kExplain;
extern const Command kInspect;

}  // namespace vmcred::app
