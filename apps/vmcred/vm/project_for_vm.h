// The declaration as far as one vm, or the host as a whole, needs it: a bad vm does not stop the others.
#pragma once

#include "command.h"
#include "declare/load.h"

namespace vmcred::app {

/// As load_project, to run that vm, or (`name` empty) for what concerns all. Vms whose own tables have problems are
/// left out and named; where `name` is one of them that is the error, and so is what stands outside of the vms.
Result<declare::Declaration> load_project_for_vm(const World& world, const std::string& name);

}  // namespace vmcred::app
