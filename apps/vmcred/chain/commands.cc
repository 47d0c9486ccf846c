#include "chain/commands.h"

#include "rooms.h"

namespace vmcred::app {
namespace {

constexpr const Command* kCommands[] = {
    &kCheck,
    &kExplain,
    &kInspect,
};

}  // namespace

constinit const Room kChainRoom = {"Look at the whole chain", kCommands};

}  // namespace vmcred::app
