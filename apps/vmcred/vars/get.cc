// vmcred vars get: prints one value.
#include <unistd.h>

#include "base/fd.h"
#include "store/address.h"
#include "terminal/answer.h"
#include "terminal/ask.h"
#include "vars/commands.h"
#include "vars/vars.h"

namespace vmcred::app {
namespace {

constexpr Parameter kParameters[] = {
    {"VAR...", "[MACHINE] GENERATOR/FILE"},
    {"--vm NAME", "whose value, where each vm has its own"},
};

Result<Exit> run(const Given& given, World& world) {
  TRY_LET(const Project project, open_project(world));
  TRY_LET(const store::VarId id, chosen_var(given.all("VAR"), given.at("vm"), world, project.declaration));
  TRY_LET(const store::KeyRing keys, operator_keys(world));
  TRY_LET(const Secret value, project.repository.read_var(id, keys));
  if (world.json) {
    TRY(in(
        "print the value",
        answer_with_secret(
            world, Json::object().set("var", store::address_of(id)).set("owner", store::spoken(id.generator.placement)),
            value)));
    return Exit::done;
  }
  const bool terminal = ::isatty(world.out) == 1;
  if (terminal)
    for (const std::uint8_t byte : value.bytes())
      if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7f)
        return hint(fail(Errc::usage, "{} is no text, and this is a terminal", store::spoken(id)),
                    "send it to a file or a pipe");
  const Fd out(::dup(world.out));
  TRY(in("print the value", write_all(out, value.text())));
  if (terminal && !value.text().ends_with('\n')) print(world, "\n");
  return Exit::done;
}

}  // namespace

constinit const Command kVarsGet = {
    "vars get",
    "print one value",
    "Prints the value byte for byte; on a terminal a newline follows it. The machine may be left out where there\n"
    "is only one.",
    kParameters,
    run,
};

}  // namespace vmcred::app
