#include "vm/commands.h"

#include "rooms.h"

namespace vmcred::app {
namespace {

constexpr const Command* kCommands[] = {
    &kVmList, &kVmPlan, &kVmRun, &kVmRefresh, &kVmStop, &kVmStatus, &kVmUnits, &kExec,
};

}  // namespace

constinit const Room kVmRoom = {"VMs", kCommands};

}  // namespace vmcred::app
