#include "host/commands.h"

#include "rooms.h"

namespace vmcred::app {
namespace {

constexpr const Command* kCommands[] = {
    &kDoctor,
    &kActivate,
    &kDeploy,
};

}  // namespace

constinit const Room kHostRoom = {"On a host", kCommands};

}  // namespace vmcred::app
