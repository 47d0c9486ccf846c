// The commands of this folder, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kSignaturesKeygen;
extern const Command kSignaturesCheck;
extern const Command kSignaturesSign;
extern const Command kSignaturesShow;

}  // namespace vmcred::app
