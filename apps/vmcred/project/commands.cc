#include "project/commands.h"

#include "rooms.h"

namespace vmcred::app {
namespace {

constexpr const Command* kCommands[] = {
    &kInit, &kDeclare, &kImportAgenix, &kImportSopsNix, &kDemo,
};

}  // namespace

constinit const Room kProjectRoom = {"Start a project", kCommands};

}  // namespace vmcred::app
