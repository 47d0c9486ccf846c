#include "vars/commands.h"

#include "host/commands.h"
#include "rooms.h"

namespace vmcred::app {
namespace {

constexpr const Command* kCommands[] = {
    &kVarsGenerate, &kVarsList,   &kVarsGet,    &kVarsSet,    &kVarsCheck,  &kVarsFix,    &kVarsRotate,
    &kVarsPrune,    &kVarsExport, &kVarsImport, &kVarsRename, &kVarsUpload, &kVarsKeygen,
};

}  // namespace

constinit const Room kVarsRoom = {"Values", kCommands};

}  // namespace vmcred::app
