#include "signatures/commands.h"

#include "rooms.h"

namespace vmcred::app {
namespace {

constexpr const Command* kCommands[] = {
    &kSignaturesKeygen,
    &kSignaturesCheck,
    &kSignaturesSign,
    &kSignaturesShow,
};

}  // namespace

constinit const Room kSignaturesRoom = {"Signatures", kCommands};

}  // namespace vmcred::app
