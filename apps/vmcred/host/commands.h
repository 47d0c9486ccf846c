// The commands of this folder, one a file; commands.cc puts them in order.
#pragma once

#include "command.h"

namespace vmcred::app {

extern const Command kVarsUpload;
extern const Command kDoctor;
extern const Command kActivate;
extern const Command kDeploy;

}  // namespace vmcred::app
